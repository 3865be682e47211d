import { expect, test } from 'vitest';
import { maskSecrets } from '../../src/core/secrets.js';

test.each([
  ['postgres://app:s3cret@db.example/orders', 'postgres://app:***@db.example/orders'],
  ['redis://:s3cret@cache:6379', 'redis://:***@cache:6379'],
  ['amqp://app:s3/cr@et@broker', 'amqp://app:***@broker'],
  ['https://s3cret@git.example', 'https://***@git.example'],
  ['host=db user=app password=s3cret dbname=x', 'host=db user=app password=*** dbname=x'],
  ["password='s3 cret' host=db", 'password=*** host=db'],
  ['Server=db;Uid=app;Pwd=s3cret;Ssl=1', 'Server=db;Uid=app;Pwd=***;Ssl=1'],
  [
    'jdbc:mysql://db/x?user=app&password=s3cret&ssl=1',
    'jdbc:mysql://db/x?user=app&password=***&ssl=1',
  ],
  ['AccountName=x;AccountKey=s3cret==;Suffix=y', 'AccountName=x;AccountKey=***;Suffix=y'],
  ['{"host":"db","password":"s3cret"}', '{"host":"db","password":***}'],
  ['https://api.example/?access_token=s3cret', 'https://api.example/?access_token=***'],
  [
    'connect failed for postgres://a:s3cret@h/x: timeout',
    'connect failed for postgres://a:***@h/x: timeout',
  ],
])('%s is masked', (text, masked) => {
  expect(maskSecrets(text)).toBe(masked);
});

test.each([
  'tenant-7',
  'db.example:5432',
  'a@b.example',
  'https://db.example/orders',
  'GET /orders/1',
])('%s has no secret and stays as it is', (text) => {
  expect(maskSecrets(text)).toBe(text);
});

test('a long text is cut, so that a hostile one costs little', () => {
  expect(maskSecrets('//pass'.repeat(10_000))).toHaveLength(2_001);
});
