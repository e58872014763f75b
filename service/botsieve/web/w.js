'use strict';
// The worker of a challenge: finds the answers, posts all found so far after each.
// SHA-256 of FIPS 180-4, section 6.2; its constants are worked out of the primes as sections 4.2.2 and 5.3.3
// say.  The roots come no nearer to the next integer than 2^-11, where doubles are exact to 2^-17.
(function () {
var K = new Int32Array(64), START = new Int32Array(8), W = new Int32Array(64), H = new Int32Array(8);
(function () {
  function fraction(root) { return ((root - Math.floor(root)) * 4294967296) | 0; }
  for (var number = 2, found = 0; found < 64; number++) {
    for (var by = 2; by * by <= number && number % by; by++) { /* by divides or not */ }
    if (by * by > number) {
      if (found < 8) { START[found] = fraction(Math.sqrt(number)); }
      K[found++] = fraction(Math.cbrt(number));
    }
  }
})();

function block() {
  var i, x, y, t, u;
  for (i = 16; i < 64; i++) {
    x = W[i - 15]; y = W[i - 2];
    W[i] = (W[i - 16] + W[i - 7] + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3)
      + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10)) | 0;
  }
  var a = H[0], b = H[1], c = H[2], d = H[3], e = H[4], f = H[5], g = H[6], h = H[7];
  for (i = 0; i < 64; i++) {
    t = (h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g) + K[i] + W[i]) | 0;
    u = (((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c)) | 0;
    h = g; g = f; f = e; e = (d + t) | 0; d = c; c = b; b = a; a = (t + u) | 0;
  }
  H[0] += a; H[1] += b; H[2] += c; H[3] += d; H[4] += e; H[5] += f; H[6] += g; H[7] += h;
}

// SHA-256 of an ASCII text, as eight words.
function digest(text) {
  var blocks = (text.length + 8 >> 6) + 1, bytes = new Uint8Array(blocks * 64), view = new DataView(bytes.buffer);
  for (var i = 0; i < text.length; i++) { bytes[i] = text.charCodeAt(i); }
  bytes[text.length] = 128;
  view.setUint32(blocks * 64 - 4, text.length * 8);
  H.set(START);
  for (var at = 0; at < blocks * 64; at += 64) {
    for (i = 0; i < 16; i++) { W[i] = view.getInt32(at + i * 4); }
    block();
  }
  return Int32Array.from(H);
}

onmessage = function (message) {
  var seed = digest(message.data.token), shift = 32 - message.data.bits, answers = [];
  for (var index = 0; index < message.data.puzzles; index++) {
    // One block: seed (32 bytes), index, answer, then the padding of 40 bytes.
    for (var answer = 0; ; answer++) {
      W.set(seed);
      W[8] = index; W[9] = answer; W[10] = 0x80000000; W[11] = W[12] = W[13] = W[14] = 0; W[15] = 320;
      H.set(START);
      block();
      if (H[0] >>> shift === 0) { break; }
    }
    answers.push(answer);
    postMessage(answers);
  }
};
})();
