'use strict';
// The page of a challenge: starts the worker, posts the answers, then loads the page that was asked for.
// Law of the file: whatever goes wrong becomes a visible text beside the reference; nothing is tried again by itself, but for a
// solution that has to queue, and what another tab of this browser has solved is not solved again.
(function () {
  var data = JSON.parse(document.currentScript.dataset.check);
  var texts = data.texts;
  var CAP_MS = 30000, QUEUE_MS = 10000, FILE_MS = 15000;
  function part(id) { return document.getElementById(id); }
  var worker = null, timer = 0;
  var tabs = window.BroadcastChannel ? new BroadcastChannel('botsieve') : null;

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
    if (tabs) { tabs.onmessage = null; }
    if (!data.form) {
      say(texts.done);
      location.reload();
      // A file is saved and leaves this page standing.
      setTimeout(function () { say(texts.file); offer(texts.back, function () { history.back(); }); }, FILE_MS);
      return;
    }
    say(texts.resend);
    offer(texts.back, anew);
    part('button').focus();
  }
  function send(answers) {
    fetch(data.solve, {
      method: 'POST', credentials: 'same-origin', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token: data.token, answers: answers })
    }).then(function (answer) {
      if (answer.status === 204) {
        if (tabs) { tabs.postMessage(data.bits); }
        solved();
      } else if (answer.status === 429) {
        // Many people of one network: each comes again at another moment, with the same solution, while it holds.
        say(texts.queue);
        timer = setTimeout(function () { send(answers); }, QUEUE_MS * (1 + Math.random()));
      } else { fail(texts.refused, anew); } // an expired or used puzzle cannot be sent again: a new page brings a new one
    }, function () { fail(texts.network); });
  }
  function start() {
    part('error').textContent = '';
    part('progress').value = 0;
    if (!navigator.cookieEnabled) { fail(texts.cookies, anew); return; }
    if (!window.fetch) { fail(texts.worker); return; }
    say(texts.working);
    timer = setTimeout(function () { fail(texts.slow); }, CAP_MS);
    try { worker = new Worker(data.worker); } catch (error) { fail(texts.worker); return; }
    worker.onerror = function () { fail(texts.worker); };
    worker.onmessage = function (message) {
      part('progress').value = message.data.length;
      if (message.data.length === data.puzzles) { stop(); send(message.data); }
    };
    worker.postMessage({ token: data.token, puzzles: data.puzzles, bits: data.bits });
  }

  part('stuck').remove();
  part('check').hidden = false;
  if (tabs && !data.manual) { tabs.onmessage = function (message) { if (message.data >= data.bits) { solved(); } }; }
  if (data.manual) { offer(texts.start, start); } else { start(); }
})();
