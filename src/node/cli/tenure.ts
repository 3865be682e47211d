#!/usr/bin/env node
/** The command `tenure`. */
import { printOnStderr } from '../stderr.js';
import { EXIT } from './command.js';
import { runCli } from './run-cli.js';

const { NO_COLOR = '', FORCE_COLOR = '' } = process.env;

process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.exit(); // A reader such as `head` may close its end early, which is no failure.
  printOnStderr(`tenure: the result cannot be written: ${message}`);
  process.exit(EXIT.failed);
});

/** `FORCE_COLOR` decides if it is set; otherwise colours are for terminals. */
function isColourWanted(): boolean {
  return FORCE_COLOR === '' ? process.stdout.isTTY === true : !['0', 'false'].includes(FORCE_COLOR);
}

process.exitCode = await runCli(process.argv.slice(2), {
  print: (text) => process.stdout.write(`${text}\n`),
  warn: printOnStderr,
  folder: process.cwd(),
  colour: NO_COLOR === '' && isColourWanted(),
});
