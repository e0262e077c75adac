// The Node that the npm package `node` has installed, for a machine whose own is too old: no syntax after ES5.
'use strict'

var childProcess = require('child_process')
var fs = require('fs')
var path = require('path')

/** Above one of the places: the program, or undefined. */
exports.find = function (places) {
  for (var i = 0; i < places.length; i++) {
    for (var folder = places[i]; ; folder = path.dirname(folder)) {
      var found = path.join(folder, 'node_modules', 'node')
      if (versionOf(found) >= 24 && fs.existsSync(path.join(found, 'bin', 'node'))) {
        return path.join(found, 'bin', 'node')
      }
      if (path.dirname(folder) === folder) break
    }
  }
  return undefined
}

function versionOf(folder) {
  try {
    return Number(
      JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')).version.split('.')[0],
    )
  } catch (_) {
    return 0
  }
}

/** In this process's place, as nearly as can be: its signals are passed on, its end is this one's. */
exports.run = function (node, args) {
  var child = childProcess.spawn(node, process.execArgv.concat(args), { stdio: 'inherit' })
  // A terminal sends these to both. Whoever else asks to stop may have asked this process alone, or the whole group:
  // the engine takes a SIGTERM after a SIGINT for the same.
  process.on('SIGINT', function () {
    if (!isOfTerminal()) child.kill('SIGTERM')
  })
  process.on('SIGQUIT', ignore)
  var passed = ['SIGTERM', 'SIGHUP']
  passed.forEach(function (signal) {
    process.on(signal, function () {
      child.kill(signal)
    })
  })
  child.on('error', function (error) {
    console.error('ALM_NODE_OLD ' + node + ' could not be started: ' + error.message)
    process.exitCode = 2
  })
  child.on('exit', function (code, signal) {
    if (signal === null) process.exit(code)
    passed.concat('SIGINT', 'SIGQUIT').forEach(function (name) {
      process.removeAllListeners(name)
    })
    process.kill(process.pid, signal)
  })
}

/** Is this process one of those that the terminal's Ctrl-C goes to? */
function isOfTerminal() {
  try {
    var stat = fs.readFileSync('/proc/self/stat', 'latin1')
    // state, parent, group, session, terminal, the terminal's group
    var fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[2] === fields[5]
  } catch (_) {
    return Boolean(process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY)
  }
}

function ignore() {}
