'use strict';
// The end of the script: once a page, gathers what the parts above found, posts it, and stores the id that comes back.
// Law of the file: of the top page only (in somebody else's frame our cookies stay away and would seem deleted); what fails is
// silent: a visitor must not notice it.  `ask` says what is switched on; a part that is off is not in the file at all.
function report(ask, script, nonce) {
  var told = {}, work = [];
  if (ask.copies) { work.push(readCopies(told)); }
  if (ask.marks) { work.push(collectMarks(told, script)); }
  if (ask.fingerprint) { work.push(takeFingerprint(told, ask.fingerprint, nonce)); }
  Promise.all(work).then(function () {
    return ask.extensions.length ? findExtensions(told, ask.extensions) : null;
  }).then(function () {
    // Its coming back shows that this browser sends cookies at all.
    document.cookie = 'botsieve_t=1; Max-Age=60; SameSite=Lax; Path=' + ask.prefix;
    return fetch(ask.prefix + 'd', {
      method: 'POST', credentials: 'same-origin', keepalive: true, headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(told)
    });
  }).then(function (answer) { return answer.status === 200 ? answer.json() : {}; }).then(function (answer) {
    return answer.id ? writeCopies(answer.id) : null;
  }).catch(function () { /* no report of this page */ });
}
function begin(ask) {
  if (window.top !== window) { return; }
  var own = document.currentScript, script = own ? own.src : ask.prefix + 'b.js', nonce = own ? own.nonce : '';
  function soon() { setTimeout(function () { report(ask, script, nonce); }, 0); }
  function loaded() { if (document.readyState === 'complete') { soon(); } else { addEventListener('load', soon); } }
  if (document.prerendering) { document.addEventListener('prerenderingchange', loaded, { once: true }); } else { loaded(); }
}
