'use strict';
// Asks FingerprintJS (vendor/, loaded from this host) for one hash of this browser, once a tab.
// Law of the file: `monitoring` is off, so no other host is asked; nothing but the hash is kept or sent.
function takeFingerprint(report, source, nonce) {
  var place = 'botsieve_f';
  try { report.fingerprint = /^[0-9a-f]{32}$/.exec(sessionStorage.getItem(place) || '')[0]; } catch (error) { report.fingerprint = ''; }
  if (report.fingerprint) { return null; }
  return new Promise(function (done) {
    setTimeout(done, 3000);
    var script = document.createElement('script');
    script.src = source;
    script.nonce = nonce;
    script.onerror = done;
    script.onload = function () {
      window.FingerprintJS.load({ monitoring: false }).then(function (agent) { return agent.get(); }).then(function (result) {
        report.fingerprint = String(result.visitorId);
        try { sessionStorage.setItem(place, report.fingerprint); } catch (error) { /* asked again on the next page */ }
      }).then(done, done);
    };
    document.head.appendChild(script);
  });
}
