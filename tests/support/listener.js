/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Someone who listens on an MQTT broker and keeps what came. */

const { randomUUID } = require('node:crypto');
const mqtt = require('mqtt');
const { atEnd } = require('./end');
const { waitFor } = require('./wait');

/**
 * @typedef {object} Message
 * @property {string} topic
 * @property {any} payload As JSON.
 * @property {boolean} retain
 * @property {number} qos
 * @property {Record<string, any>} properties Of MQTT 5.
 * @property {number} atMs When it came, milliseconds since 1970.
 */

/** As plain objects. @param {Record<string, any>} [properties] */
function describeProperties({ userProperties, ...rest } = {}) {
  return { ...rest, ...(userProperties && { userProperties: { ...userProperties } }) };
}

class Listener {
  /** @param {mqtt.MqttClient} client */
  constructor(client) {
    this.client = client;
    /** @type {Message[]} */
    this.messages = [];
    /* Where it hears from itself. */
    this.ownTopic = `listener/${randomUUID()}`;
    this.heardOwn = 0;
    client.on('message', (topic, payload, { retain, qos, properties }) => {
      if (topic === this.ownTopic) {
        this.heardOwn++;
        return;
      }
      const json = JSON.parse(payload.toString());
      const own = describeProperties(properties);
      this.messages.push({ topic, payload: json, retain, qos, properties: own, atMs: Date.now() });
    });
    client.on('error', () => {});
  }

  /** The first message from place `from` on that fits.
   * @param {(message: Message) => unknown} fits
   * @param {{from?: number, timeoutMs?: number, what: string}} options
   * @returns {Promise<Message>} */
  async waitFor(fits, { from = 0, timeoutMs, what }) {
    const look = () => this.messages.slice(from).find((message) => fits(message));
    const last = () => JSON.stringify(this.messages.at(-1)?.payload)?.slice(0, 300);
    try {
      return await waitFor(look, { timeoutMs, what });
    } catch (error) {
      const text = error instanceof Error ? error.message : error;
      throw new Error(`${text}; ${this.messages.length} came, the last: ${last()}`);
    }
  }

  /** Waits until all has come that the broker had taken before: it sends in the order in which it
   * takes, so what is sent to oneself now comes behind it. */
  async caughtUp() {
    const heard = this.heardOwn;
    await this.client.subscribeAsync(this.ownTopic, { qos: 1 });
    await this.client.publishAsync(this.ownTopic, '', { qos: 1 });
    await waitFor(() => this.heardOwn > heard, { what: 'the broker to send what it took' });
  }
}

/** @param {import('node:test').TestContext} t @param {string} url
 * @param {{topic?: string, options?: mqtt.IClientOptions}} [more] */
async function listen(t, url, { topic = '#', options } = {}) {
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 100, ...options });
  atEnd(t, () => client.endAsync(true));
  const listener = new Listener(client);
  await client.subscribeAsync(topic, { qos: 1 });
  return listener;
}

module.exports = { Listener, listen };
