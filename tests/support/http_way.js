/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A way to a database that speaks HTTP, which can refuse, hang, break off or lose answers; and what went
   along it. Only requests that are not compressed. */

const http = require('node:http');
const { openPort } = require('./place');

/**
 * pass; answer with that status; say nothing; break off before the database has it, or behind it; answer
 * late. @typedef {'pass' | number | 'hang' | 'break' | 'lose' | 'slow'} Mode
 */

const SLOW_MS = 150;

class HttpWay {
  /** @param {string} target */
  constructor(target) {
    this.target = target;
    /** @type {Mode} */
    this.mode = 'pass';
    /** The texts that the database has taken. @type {string[]} */
    this.written = [];
    /** Those of them that were acknowledged. @type {string[]} */
    this.acknowledged = [];
    /** Requests in the mode that holds. */
    this.asked = 0;
    /** Requests that the database has not answered yet. */
    this.underWay = 0;
    this.url = '';
    this.server = http.createServer((request, response) => {
      this.take(request, response).catch(() => response.destroy());
    });
  }

  /** @param {Mode} mode */
  set(mode) {
    this.mode = mode;
    this.asked = 0;
  }

  /** @param {http.IncomingMessage} request @param {http.ServerResponse} response */
  async take(request, response) {
    const { mode } = this;
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const body = Buffer.concat(pieces);
    this.asked++;
    if (mode === 'hang') return;
    if (mode === 'break') return void response.destroy();
    if (typeof mode === 'number') return void response.writeHead(mode).end('not now');
    if (mode === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    this.underWay++;
    const answer = await this.pass(request, body).finally(() => this.underWay--);
    const isWritten = answer.status === 204 && body.length > 0;
    if (isWritten) this.written.push(body.toString());
    if (mode === 'lose') return void response.destroy();
    if (isWritten && !response.destroyed) this.acknowledged.push(body.toString());
    response.writeHead(answer.status).end(answer.body);
  }

  /** @param {http.IncomingMessage} request @param {Buffer} body */
  async pass(request, body) {
    const headers = Object.entries(request.headers).filter(([name]) => PASSED.has(name));
    const response = await fetch(`${this.target}${request.url}`, {
      method: request.method,
      headers: Object.fromEntries(/** @type {[string, string][]} */ (headers)),
      ...(request.method === 'POST' && { body }),
    });
    return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
  }
}

const PASSED = new Set(['authorization', 'content-type']);

/** @param {import('node:test').TestContext} t @param {string} target */
async function startHttpWay(t, target) {
  const way = new HttpWay(target);
  way.url = `http://127.0.0.1:${await openPort(t, way.server)}`;
  return way;
}

module.exports = { HttpWay, startHttpWay };
