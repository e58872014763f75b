'use strict';
// Looks for the extensions that the operator has listed, and for no others.
// Law of the file: a probe is [name, kind, what] of challenge/extensions.py; one that does not answer says nothing.
function findExtensions(report, probes) {
  report.extensions = [];
  return Promise.all(probes.map(function (probe) {
    function found() { report.extensions.push(probe[0]); }
    try {
      if (probe[1] === 'selector') { if (document.querySelector(probe[2])) { found(); } return null; }
      if (probe[1] === 'global') { if (probe[2] in window) { found(); } return null; }
      return fetch(probe[2]).then(function (answer) { if (answer.ok) { found(); } }, function () { /* not there */ });
    } catch (error) { return null; }
  }));
}
