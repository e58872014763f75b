'use strict';
// Human evidence: that pointer, keys, touch and wheel were used, and when (challenge/events.py reads it).
// Law of the file: no key, no text, no place on the page; nothing is sent but to our own path.
(function () {
  // The number of a kind is its place here.
  var kinds = 'pointermove,pointerdown,pointerup,click,keydown,keyup,input,paste,wheel,scroll,touchmove,focusin'.split(',');
  var url = document.currentScript.src.replace(/[^/]*$/, 'e');
  var token, number, timer, touched, log = [], last = [], at = 0, x = 0, y = 0, moves = 0;

  function ask() {
    number = 0;
    fetch(url, { cache: 'no-store' }).then((e) => e.ok && e.text())
      .then((e) => { token = e; plan(); });
  }
  function plan() {
    if (log[0] && token) { timer = timer || setTimeout(send, number ? 6e4 : 1500); }
  }
  function send(leaving) {
    if (log[0] && token) {
      var body = token + '\n' + number++ + '\n' + JSON.stringify(log);
      log = [];
      timer = clearTimeout(timer);
      moves = 0;
      if (leaving) { navigator.sendBeacon(url, body); }
      // 403: the page was open for long, or the service was started again.
      else { fetch(url, { method: 'POST', body: body }).then((e) => { if (e.status == 403) { ask(); } }); }
    }
  }
  // Keys without a code are what a browser says when it fills in a form by itself.
  function hear(e) {
    var kind = kinds.indexOf(e.type), now = Math.max(at, Math.round(e.timeStamp)), pointer = e.pointerType,
      flags = pointer == 'mouse' ? 0 : pointer ? 2 : 8;
    if (flags == 2 || kind == 10) { touched = 2; }
    if (log[159]) { at = now; }
    if (kind == 0 && (flags || ++moves > 40)
        || e.repeat || kind >> 1 == 2 && !e.keyCode
        || kind == 6 && e.inputType != 'insertText'
        || kind == 9 && e.target != document
        || kind > 5 && (!e.isTrusted || now - last[kind] < 50)
        || log[159]) { return; }
    last[kind] = now;
    if (kind > 3) { flags = touched; }
    if (kind < 2 && devicePixelRatio == 1) {
      flags |= (e.clientX % 1 || e.clientY % 1) && 32;
      flags |= outerHeight == innerHeight && top == self && Math.abs(e.screenY - e.clientY - screenY) > 20 && 64;
    }
    var entry = [kind, now - at, flags | !e.isTrusted | (e.keyCode == 229 && 128)];
    at = now;
    if (kind < 2) {
      entry.push(Math.round(e.clientX - x), Math.round(e.clientY - y));
      x = e.clientX;
      y = e.clientY;
    }
    if (kind == 1) {
      moves = 0;
      entry[2] |= !e.pressure && 16;
    }
    log.push(entry);
    plan();
  }

  kinds.forEach((kind) => addEventListener(kind, hear, { capture: true, passive: true }));
  addEventListener('pagehide', send);
  addEventListener('visibilitychange', send);
  ask();
})();
