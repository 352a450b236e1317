/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Messages of the control socket as bytes: whole out of any chunks, and puts. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { MAX_BODY_BYTES, MAX_PUT_BYTES, TYPE } = require('../../lib/runtime_message');
const { MessageReader, packMessage, packPuts, packRequest } = require('../../lib/runtime_message');

/** @param {Buffer[]} chunks */
function readAll(chunks) {
  /** @type {[number, string][]} */
  const messages = [];
  const reader = new MessageReader((type, body) => messages.push([type, body.toString('latin1')]));
  for (const chunk of chunks) reader.feed(chunk);
  return messages;
}

test('messages come out whole, however they are cut', () => {
  const bodies = ['{}', '{"id":1,"ok":true}', 'x'.repeat(300), '[', 'y'.repeat(70000), '{"a":2}'];
  const types = [TYPE.event, TYPE.answer, TYPE.frames];
  /** @type {[number, string][]} */
  const expected = bodies.map((body, i) => [types[i % 3], body]);
  const bytes = Buffer.concat(expected.map(([type, body]) => packMessage(type, Buffer.from(body))));
  for (const size of [1, 2, 3, 4, 5, 6, 7, 64, 305, 306, 65536, bytes.length]) {
    const count = Math.ceil(bytes.length / size);
    const chunks = Array.from({ length: count }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    assert.deepEqual(readAll(chunks), expected, `chunks of ${size}`);
  }
});

test('what is handed out stays as it is when more comes', () => {
  /** @type {Buffer[]} */
  const bodies = [];
  const reader = new MessageReader((_, body) => bodies.push(body));
  for (const text of ['"first"', '"other"']) {
    const message = packMessage(TYPE.event, Buffer.from(text));
    reader.feed(message.subarray(0, 7));
    reader.feed(message.subarray(7));
  }
  assert.deepEqual(bodies.map(String), ['"first"', '"other"']);
});

test('a reader that was stopped hands out nothing more', () => {
  /** @type {string[]} */
  const bodies = [];
  const reader = new MessageReader((_, body) => {
    bodies.push(String(body));
    reader.stop();
  });
  const one = packMessage(TYPE.event, Buffer.from('{}'));
  reader.feed(Buffer.concat([one, one, one.subarray(0, 3)]));
  reader.feed(one);
  assert.deepEqual(bodies, ['{}']);
});

test('what is no message is refused as soon as its header is there', () => {
  const heads = {
    'a type that does not exist': [3, 0, 0, 0, 9],
    'a request': [3, 0, 0, 0, TYPE.request],
    'a put': [3, 0, 0, 0, TYPE.put],
    'a length of 0': [0, 0, 0, 0, TYPE.event],
    'no body': [1, 0, 0, 0, TYPE.event],
    'frames that are too long': [2, 0, 16, 0, TYPE.frames],
    'text that is too long': [2, 0, 0, 4, TYPE.answer],
    'what an HTTP server says': [...Buffer.from('HTTP/1.1 400 Bad Request')],
  };
  for (const [name, head] of Object.entries(heads)) {
    const error = { code: 'BUSBAR_PROTOCOL' };
    assert.throws(() => readAll([Buffer.from(head)]), error, name);
    const bytes = head.slice(0, 5).map((byte) => Buffer.from([byte]));
    assert.throws(() => readAll(bytes), error, `${name}, byte by byte`);
  }
});

test('a request is UTF-8, and one that is too long is not sent', () => {
  const message = packRequest({ op: 'check', document: 'Zähler °C' });
  assert.equal(message.readUInt32LE(0), message.length - 4);
  assert.equal(message[4], TYPE.request);
  assert.deepEqual(JSON.parse(message.toString('utf8', 5)), {
    op: 'check',
    document: 'Zähler °C',
  });
  const document = 'x'.repeat(MAX_BODY_BYTES[TYPE.request]);
  assert.throws(() => packRequest({ document }), { code: 'BUSBAR_INVALID' });
});

test('a put is laid out as the runtime reads it', () => {
  /* The example of native/runtime/put_frame.h, behind its header. */
  const [put] = packPuts('a', [{ id: 1, topic: 't', payload: '1', retain: true }]);
  assert.equal(put.toString('hex'), '1000000005' + '0161' + '0900000001000000' + '040100' + '7431');
  const [binary] = packPuts('a', [{ id: 258, payload: Buffer.from([0, 255]), qos: 1 }]);
  assert.equal(binary.toString('hex', 7), '09000000' + '02010000' + '02' + '0000' + '00ff');
});

test('a put with properties is laid out as the runtime reads it', () => {
  /* The second example of native/runtime/put_frame.h. */
  const properties = Buffer.from([3, 0, 1, 0x78]);
  const message = { id: 1, topic: 't', payload: '1', retain: true, properties };
  const [put] = packPuts('a', [message]);
  const text = '0161' + '0f00000001000000' + '0c0100' + '0400' + '74' + '03000178' + '31';
  assert.equal(put.subarray(5).toString('hex'), text);
  assert.equal(put.readUInt32LE(0), put.length - 4);
  const empty = packPuts('a', [{ ...message, properties: Buffer.alloc(0) }]);
  assert.deepEqual(empty, packPuts('a', [{ ...message, properties: undefined }]));
});

test('many messages go in as few puts as may be, in order', () => {
  const payload = Buffer.alloc(50000, 7);
  const messages = Array.from({ length: 50 }, (_, id) => ({ id, topic: 'ä', payload }));
  const puts = packPuts('bus', messages);
  assert.equal(puts.length, 3);
  /** @type {number[]} */
  const ids = [];
  for (const put of puts) {
    assert.equal(put.readUInt32LE(0), put.length - 4);
    assert.ok(put.length - 5 <= MAX_BODY_BYTES[TYPE.put], `${put.length - 5} bytes`);
    assert.equal(put.toString('latin1', 5, 9), '\x03bus');
    for (let at = 9; at < put.length; at += 4 + put.readUInt32LE(at)) {
      ids.push(put.readUInt32LE(at + 4));
      assert.equal(put.toString('utf8', at + 11, at + 13), 'ä');
    }
  }
  assert.deepEqual(
    ids,
    messages.map(({ id }) => id),
  );
  assert.deepEqual(packPuts('bus', []), []);
});

test('a message that the runtime would not read is refused before any is sent', () => {
  const good = { id: 1, topic: 't', payload: '1' };
  const bad = {
    'a topic with NUL': { ...good, topic: 'a\0b' },
    'a number that is none': { ...good, id: 1.5 },
    'a number that is too large': { ...good, id: 2 ** 32 },
    'a QoS that does not exist': { ...good, qos: 3 },
    'more than may be': { ...good, payload: 'x'.repeat(MAX_PUT_BYTES) },
    'more than may be, as UTF-8': { ...good, payload: 'ä'.repeat(MAX_PUT_BYTES / 2) },
  };
  for (const [name, message] of Object.entries(bad)) {
    assert.throws(() => packPuts('bus', [good, message]), { code: 'BUSBAR_INVALID' }, name);
  }
  for (const id of ['', '.a', 'a b', 'x'.repeat(65)]) {
    assert.throws(() => packPuts(id, [good]), { code: 'BUSBAR_INVALID' }, id);
  }
  assert.equal(
    packPuts('bus', [{ ...good, payload: 'x'.repeat(MAX_PUT_BYTES - 1) }])[0].length,
    60020,
  );
});
