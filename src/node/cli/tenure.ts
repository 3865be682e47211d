#!/usr/bin/env node
/** The command `tenure`. */
import { runCli } from './run-cli.js';

const { NO_COLOR, FORCE_COLOR } = process.env;

/** A reader such as `head` may close its end early, which is no failure. */
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.exit();
});

process.exitCode = await runCli(process.argv.slice(2), {
  print: (text) => process.stdout.write(`${text}\n`),
  warn: (text) => process.stderr.write(`${text}\n`),
  folder: process.cwd(),
  colour: (NO_COLOR ?? '') === '' && ((FORCE_COLOR ?? '') !== '' || process.stdout.isTTY === true),
});
