'use strict';
// Marks of automation, by the names of challenge/marks.py; what is only said (agent, languages, platform) the service compares.
// Law of the file: it changes nothing of the page, or puts it back at once, and asks nobody but this browser.
function said(of) {
  return [of.userAgent, of.platform, (of.languages || []).join(), of.hardwareConcurrency].join('|');
}
function collectMarks(report, script) {
  var marks = report.marks = [], who = navigator, desktopChrome = /Chrome\//.test(who.userAgent) && !/Mobile|Android/.test(who.userAgent);
  function mark(name, test) {
    var found = false;
    try { found = test(); } catch (error) { found = false; }
    if (found) { marks.push(name); }
  }
  function isNative(act) { return /\[native code\]/.test(Function.prototype.toString.call(act)); }
  report.agent = String(who.userAgent).slice(0, 1024);
  report.platform = String(who.platform || '').slice(0, 64);
  report.languages = Array.from(who.languages || [], function (language) { return String(language).slice(0, 40); }).slice(0, 10);

  mark('webdriver', function () { return who.webdriver === true; });
  mark('own_webdriver', function () {
    var getter = Object.getOwnPropertyDescriptor(Navigator.prototype, 'webdriver');
    return Object.getOwnPropertyNames(who).indexOf('webdriver') >= 0 || (getter && !isNative(getter.get));
  });
  mark('globals', function () {
    var odd = /^(\$?cdc_|\$chrome_async|__webdriver|__selenium|__driver|_Selenium|__fxdriver|callSelenium|_phantom|callPhantom|__nightmare|domAutomation|__playwright|__pw|__puppeteer|puppeteer_)/;
    return Object.getOwnPropertyNames(window).concat(Object.getOwnPropertyNames(document)).some(function (name) { return odd.test(name); });
  });
  mark('debugger', function () {
    // Somebody who wraps the console (an error reporter) reads what it is given too: then nothing is tried.
    if (!isNative(console.debug)) { return false; }
    var before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace'), read = false;
    try {
      Error.prepareStackTrace = function () { read = true; return ''; };
      console.debug(new Error(''));
    } finally {
      if (before) { Object.defineProperty(Error, 'prepareStackTrace', before); } else { delete Error.prepareStackTrace; }
    }
    return read;
  });
  mark('frame', function () {
    var frame = document.createElement('iframe');
    frame.hidden = true;
    document.documentElement.appendChild(frame);
    try {
      var inner = frame.contentWindow.navigator;
      return said(inner) !== said(who) || inner.webdriver !== who.webdriver;
    } finally { frame.remove(); }
  });
  mark('plugins', function () { return desktopChrome && who.plugins.length === 0; });
  mark('small_screen', function () { return screen.width === 800 && screen.height === 600; });
  mark('software_gl', function () {
    var gl = document.createElement('canvas').getContext('webgl');
    if (!gl) { return true; }
    var more = gl.getExtension('WEBGL_debug_renderer_info');
    return /SwiftShader|llvmpipe/i.test(gl.getParameter(more ? more.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  });
  return Promise.all([inWorker(script, mark), askPermission(mark), askHints(mark, desktopChrome)]);
}
function inWorker(script, mark) {
  return new Promise(function (done) {
    var worker = null;
    function end() { if (worker) { worker.terminate(); } done(); }
    setTimeout(end, 1500);
    try {
      worker = new Worker(script);
      worker.onerror = end;
      worker.onmessage = function (message) {
        mark('worker', function () { return message.data !== said(navigator); });
        end();
      };
    } catch (error) { done(); }
  });
}
function askPermission(mark) {
  if (!window.isSecureContext || !navigator.permissions || !window.Notification) { return null; }
  return navigator.permissions.query({ name: 'notifications' }).then(function (asked) {
    mark('permissions', function () { return Notification.permission === 'denied' && asked.state === 'prompt'; });
  }, function () { /* not known here */ });
}
function askHints(mark, desktopChrome) {
  if (!window.isSecureContext || !desktopChrome) { return null; }
  if (!navigator.userAgentData) { mark('hints', function () { return true; }); return null; }
  return navigator.userAgentData.getHighEntropyValues(['architecture', 'bitness']).then(function (told) {
    mark('hints', function () { return !told.architecture && !told.bitness; });
  }, function () { /* refused */ });
}
