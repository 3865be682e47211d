/**
 * A setup file for Jest: every test that leaks fails. Use it as `setupFilesAfterEnv: ['tenure/testing/jest-setup']`. For options,
 * write a setup file that calls `failOnLeaks(options)` of `tenure/testing/jest`.
 *
 * @module
 */
import { failOnLeaks } from './jest.js';

failOnLeaks();
