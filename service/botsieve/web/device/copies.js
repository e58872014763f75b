'use strict';
// The copies of the device id that a script can read: localStorage and IndexedDB.  The third, a cookie, it cannot.
// Law of the file: what the browser refuses is a missing copy; nothing here throws or waits for more than two seconds.
var PLACE = 'botsieve_d', MOST = 160;

function inStore(mode, act) {
  return new Promise(function (done) {
    function none() { done(''); }
    setTimeout(none, 2000);
    try {
      var opening = indexedDB.open(PLACE, 1);
      opening.onupgradeneeded = function () { opening.result.createObjectStore('copies'); };
      opening.onerror = opening.onblocked = none;
      opening.onsuccess = function () {
        try {
          var asked = act(opening.result.transaction('copies', mode).objectStore('copies'));
          asked.onerror = none;
          asked.onsuccess = function () { opening.result.close(); done(asked.result); };
        } catch (error) { none(); }
      };
    } catch (error) { none(); }
  });
}
function readCopies(report) {
  try { report.local = String(localStorage.getItem(PLACE) || '').slice(0, MOST); } catch (error) { report.local = ''; }
  return inStore('readonly', function (store) { return store.get('id'); }).then(function (value) {
    report.indexed = String(value || '').slice(0, MOST);
  });
}
function writeCopies(id) {
  try { localStorage.setItem(PLACE, id); } catch (error) { /* one copy less */ }
  return inStore('readwrite', function (store) { return store.put(id, 'id'); });
}
