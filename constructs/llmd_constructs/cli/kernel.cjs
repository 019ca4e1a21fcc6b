"use strict";
// jsii starts one node that starts another, the kernel, and hands over every message between Python and that one.
// Here the kernel is all there is: it gets the two pipes in place of the channel to a messenger, its descriptor 3.
// node.py beside this file has looked that the kernel is one that this works with.

const { readFileSync, writeSync } = require("node:fs");
const { Writable } = require("node:stream");

// What the messenger does for text: jsii's Python side wants it wrapped, and standard output is Python's now.
for (const name of ["stdout", "stderr"]) {
  const write = (text, _encoding, done) => {
    writeSync(2, `${JSON.stringify({ [name]: Buffer.from(text).toString("base64") })}\n`);
    done();
  };
  Object.defineProperty(process, name, { value: new Writable({ write }) });
}

// The kernel asks whether packages may be linked rather than copied; NODE_OPTIONS says so to node alone.
process.execArgv.push("--preserve-symlinks");

const kernel = process.env.LLMD_JSII_KERNEL;
module._compile(readFileSync(kernel, "utf8").replace("readFD:3,writeFD:3", "readFD:0,writeFD:1"), kernel);
