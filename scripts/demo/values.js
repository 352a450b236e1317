/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What arrives on MQTT: the newest value of each point of each meter, and where it stands. */

const { METERS } = require('./site');

/* Where the reference flow publishes. */
const PLACE = 'plant';

class Meter {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    /** @type {Record<string, number | string | boolean>} */
    this.values = {};
    /** Points that are not good, and why. @type {Record<string, string>} */
    this.quality = {};
    this.timestamp = 0;
  }

  /** @param {any} batch What the function of flows/pm500-to-mqtt.json makes. */
  take(batch) {
    for (const point of Object.keys(batch.values || {})) {
      this.values[point] = batch.values[point];
      delete this.quality[point];
    }
    Object.assign(this.quality, batch.quality);
    if (batch.scan === 'fast') this.timestamp = batch.timestamp;
  }

  /** @param {string} point @returns {number | undefined} */
  number(point) {
    const value = this.values[point];
    if (value === undefined || point in this.quality) return undefined;
    return Number(value);
  }

  /** One word or two about the voltage, which each fast scan reads. */
  get state() {
    if (this.timestamp === 0) return 'waiting';
    return this.quality['voltage/l1-n'] || 'good';
  }
}

class Values {
  /** @param {string} url Of the broker. */
  constructor(url) {
    this.url = url;
    this.meters = METERS.map((id) => new Meter(id));
    /** @type {import('mqtt').MqttClient | undefined} */
    this.client = undefined;
  }

  async open() {
    /* Not before the set-up: it is an npm package. */
    const mqtt = require('mqtt');
    this.client = await mqtt.connectAsync(this.url);
    this.client.on('message', (topic, payload) => {
      const meter = this.meters.find(({ id }) => topic.startsWith(`${PLACE}/${id}/`));
      if (meter) meter.take(JSON.parse(payload.toString()));
    });
    await this.client.subscribeAsync(`${PLACE}/+/+`);
  }

  async close() {
    await this.client?.endAsync(true);
  }
}

module.exports = { Meter, Values };
