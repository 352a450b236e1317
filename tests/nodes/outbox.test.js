/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the runtime says of messages that were handed over, as the errors that flows see. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Outbox } = require('../../lib/outbox');

test('a message that there is no room for is full, any other refusal a refusal', () => {
  /** @type {any} */
  const runtime = { put: () => {} };
  const outbox = new Outbox(runtime);
  outbox.setOpen(['bus']);
  /** @type {any[]} */
  const ends = [];
  const message = { topic: 'a', payload: Buffer.from('1') };
  for (let i = 0; i < 3; i++) outbox.put('bus', [message], (error) => void ends.push(error));
  const event = { event: 'untaken', sink: 'bus' };
  const room = 'the runtime has no room for more messages while bus does not take them';
  outbox.takeEvent({ ...event, id: 2, code: 'AGAIN', reason: room });
  outbox.takeEvent({ ...event, id: 3, code: 'INVALID', reason: 'the message has no topic' });
  outbox.takeEvent({ event: 'taken', sink: 'bus', id: 3 });
  assert.deepEqual(
    ends.map((error) => error && [error.code, error.message, error.details.code]),
    [
      ['BUSBAR_FULL', `the sink bus: ${room}`, 'AGAIN'],
      ['BUSBAR_REFUSED', 'the sink bus: the message has no topic', 'INVALID'],
      undefined,
    ],
  );
  outbox.end(new Error('the end'));
});
