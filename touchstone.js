#!/usr/bin/env node
// Plain JavaScript without imports, so that an old Node gets the sentence instead of a syntax error.
(function () {
  var version = process.versions.node.split(".").map(Number);
  var major = version[0];
  var minor = version[1];
  if (!((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24)) {
    console.error(
      "touchstone needs Node 20.19, 22.12 or 24 and newer; this is Node " + process.versions.node + ". Install one from nodejs.org and start again.",
    );
    process.exit(1);
  }
  import("./scripts/launch.mjs").then(
    function (launch) {
      return launch.main(process.argv.slice(2));
    },
    function (error) {
      console.error(error && error.message ? error.message : error);
      process.exit(1);
    },
  );
})();
