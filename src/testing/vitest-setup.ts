/**
 * A setup file for Vitest: every test that leaks fails. Use it as `setupFiles: ['tenure/testing/vitest-setup']`. For options, write a
 * setup file that calls `failOnLeaks(options)` of `tenure/testing/vitest`.
 *
 * @module
 */
import { failOnLeaks } from './vitest.js';

failOnLeaks();
