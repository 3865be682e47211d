/** Makes each test fail that leaves a loan out. Every test file loads it. */
import { failOnLeaks } from '../../src/testing/vitest.js';

failOnLeaks();
