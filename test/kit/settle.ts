export { settle } from '../../src/testing/settle.js';
