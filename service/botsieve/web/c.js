'use strict';
// The page of a challenge: starts the worker, posts the answers, then loads the page that was asked for.
// Law of the file: whatever goes wrong becomes a visible text beside the reference; nothing is tried again by itself.
(function () {
  var data = JSON.parse(document.currentScript.dataset.check);
  var texts = data.texts;
  var CAP_MS = 30000;
  function part(id) { return document.getElementById(id); }
  var worker = null, timer = 0;

  function say(text) { part('status').textContent = text; }
  function offer(text, act) {
    var button = part('button');
    button.textContent = text;
    button.hidden = false;
    button.onclick = function () { button.hidden = true; act(); };
  }
  function stop() {
    clearTimeout(timer);
    if (worker) { worker.terminate(); worker = null; }
  }
  function fail(text, act) {
    stop();
    say('');
    part('error').textContent = text + ' (' + texts.reference + ': ' + data.id + ')';
    offer(texts.again, act || start);
  }
  // A page that was fetched by POST is not loaded again: the browser would not send the form.
  function anew() { if (data.form) { history.back(); } else { location.reload(); } }
  function solved() {
    stop();
    if (!data.form) { say(texts.done); location.reload(); return; }
    say(texts.resend);
    offer(texts.back, anew);
    part('button').focus();
  }
  function send(answers) {
    fetch(data.solve, {
      method: 'POST', credentials: 'same-origin', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token: data.token, answers: answers })
    }).then(function (answer) {
      // An expired or used puzzle cannot be sent again: a new page brings a new one.
      if (answer.status === 204) { solved(); } else { fail(texts.refused, anew); }
    }, function () { fail(texts.network); });
  }
  function start() {
    part('error').textContent = '';
    part('progress').value = 0;
    if (!navigator.cookieEnabled) { fail(texts.cookies, anew); return; }
    say(texts.working);
    timer = setTimeout(function () { fail(texts.slow); }, CAP_MS);
    try { worker = new Worker(data.worker); } catch (error) { fail(texts.worker); return; }
    worker.onerror = function () { fail(texts.worker); };
    worker.onmessage = function (message) {
      part('progress').value = message.data.length;
      if (message.data.length === data.puzzles) { clearTimeout(timer); send(message.data); }
    };
    worker.postMessage({ token: data.token, puzzles: data.puzzles, bits: data.bits });
  }

  part('stuck').remove();
  part('check').hidden = false;
  if (data.manual) { offer(texts.start, start); } else { start(); }
})();
