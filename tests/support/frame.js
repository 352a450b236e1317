/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Device, shape and batch frames in JavaScript, written after native/model/frame.h and checked
   against tests/vectors/frame: an implementation that shares no code with the runtime's. */

const DEVICE = 1;
const SHAPE = 2;
const BATCH = 3;

const TYPES = 'bool int8 uint8 int16 uint16 int32 uint32 int64 uint64 float32 float64 text'.split(
  ' ',
);
const SIZES = [1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8];
const QUALITIES = ['good', 'uncertain', 'bad', 'stale'];

/**
 * @typedef {{number: number, id: string, site: string, profile: string,
 *   tags: Record<string, string>}} Device
 * @typedef {{name: string, type: string, size: number, unit: string, description: string,
 *   writable: boolean, labels: [number, string][]}} Point
 * @typedef {{hash: string, scan: string, points: Point[]}} Shape
 * @typedef {{device: string, scan: string, kind: number, flags: number, timeNs: bigint,
 *   seq: bigint, boot: number, values: Record<string, any>, quality: Record<string, string>,
 *   text: string}} Batch
 */

class Reader {
  /** @param {Buffer} bytes @param {number} at */
  constructor(bytes, at) {
    this.bytes = bytes;
    this.at = at;
  }

  /** @param {number} n */
  skip(n) {
    this.at += n;
    return this.at - n;
  }

  u8() {
    return this.bytes.readUInt8(this.skip(1));
  }

  u16() {
    return this.bytes.readUInt16LE(this.skip(2));
  }

  u32() {
    return this.bytes.readUInt32LE(this.skip(4));
  }

  u64() {
    return this.bytes.readBigUInt64LE(this.skip(8));
  }

  text() {
    const length = this.u16();
    const from = this.skip(length);
    return this.bytes.toString('utf8', from, from + length);
  }
}

/** @param {Buffer} bytes @returns {Buffer[]} */
function splitFrames(bytes) {
  const frames = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at)) {
    frames.push(bytes.subarray(at, at + bytes.readUInt32LE(at)));
  }
  return frames;
}

/** @param {Buffer} frame @returns {Device} */
function unpackDevice(frame) {
  const r = new Reader(frame, 8);
  const number = r.u32();
  const count = r.u16();
  const device = { number, id: r.text(), site: r.text(), profile: r.text() };
  const tags = Array.from({ length: count }, () => [r.text(), r.text()]);
  return { ...device, tags: Object.fromEntries(tags) };
}

/** @param {Reader} r @returns {Point} */
function readPoint(r) {
  const type = TYPES[r.u8()];
  r.u8();
  const size = r.u16();
  const count = r.u16();
  const flags = r.u8();
  r.skip(1 + 32);
  const point = { name: r.text(), unit: r.text(), description: r.text() };
  /** @type {[number, string][]} */
  const labels = Array.from({ length: count }, () => [r.u32(), r.text()]);
  return { ...point, type, size, writable: (flags & 1) !== 0, labels };
}

/** @param {bigint} hash */
const hex = (hash) => hash.toString(16).padStart(16, '0');

/** @param {Buffer} frame @returns {Shape} */
function unpackShape(frame) {
  const r = new Reader(frame, 8);
  const hash = hex(r.u64());
  const count = r.u16();
  const scan = r.text();
  return { hash, scan, points: Array.from({ length: count }, () => readPoint(r)) };
}

/** @param {Buffer} bytes @param {number} at @param {Point} point */
function readValue(bytes, at, { type, size }) {
  switch (type) {
    case 'bool':
      return bytes[at] === 1;
    case 'int64':
      return bytes.readBigInt64LE(at);
    case 'uint64':
      return bytes.readBigUInt64LE(at);
    case 'float32':
      return bytes.readFloatLE(at);
    case 'float64':
      return bytes.readDoubleLE(at);
    case 'text':
      return bytes.toString('utf8', at + 1, at + 1 + bytes[at]);
    default:
      return type.startsWith('int') ? bytes.readIntLE(at, size) : bytes.readUIntLE(at, size);
  }
}

/** A batch with names: values of the points that have one, quality of those that are not good.
 * @param {Buffer} frame @param {Map<number, Device>} devices @param {Map<string, Shape>} shapes
 * @returns {Batch} */
function unpackBatch(frame, devices, shapes) {
  const r = new Reader(frame, 8);
  const device = devices.get(r.u32());
  const boot = r.u32();
  const hash = r.u64();
  const shape = hash === 0n ? { scan: '', points: [] } : shapes.get(hex(hash));
  if (!device || !shape) throw new Error('a batch came before its device or its shape');
  const timeNs = frame.readBigInt64LE(r.skip(8));
  r.skip(8);
  const seq = r.u64();
  const [kind, flags, content] = [r.u8(), r.u8(), r.u8()];
  r.skip(1 + 2);
  const textLength = r.u16();
  const n = shape.points.length;
  const qualityAt = content & 1 ? r.skip(n) : -1;
  if (content & 2) r.skip(n);
  /** @type {Batch} */
  const batch = {
    ...{ device: device.id, scan: shape.scan, kind, flags, timeNs, seq, boot },
    ...{ values: {}, quality: {}, text: '' },
  };
  shape.points.forEach((point, i) => {
    const quality = qualityAt < 0 ? 0 : frame[qualityAt + i];
    const at = r.skip(point.size);
    if (quality === 0xff) return;
    if (quality >> 6 !== 0) batch.quality[point.name] = QUALITIES[quality >> 6];
    if (quality >> 6 !== 2) batch.values[point.name] = readValue(frame, at, point);
  });
  batch.text = frame.toString('utf8', r.at, r.at + textLength);
  return batch;
}

/** @param {string} text */
function packText(text) {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** @param {number} kind @param {Buffer[]} parts */
function packFrame(kind, parts) {
  const header = Buffer.from([0, 0, 0, 0, 1, kind, 0, 0]);
  const frame = Buffer.concat([header, ...parts]);
  frame.writeUInt32LE(frame.length, 0);
  return frame;
}

/** @param {number} number @param {string} id */
function packDevice(number, id) {
  const head = Buffer.alloc(6);
  head.writeUInt32LE(number);
  return packFrame(DEVICE, [head, packText(id), packText(''), packText('')]);
}

/** FNV-1a, 64 bits. @param {Buffer} bytes */
function hashOf(bytes) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

/** Points of numbers only, without labels and limits.
 * @param {string} scan @param {[name: string, type: string, unit?: string][]} points */
function packShape(scan, points) {
  const hashed = [Buffer.from(`${scan}\0`)];
  const packed = [];
  for (const [name, type, unit = ''] of points) {
    const code = TYPES.indexOf(type);
    hashed.push(Buffer.from(`${name}\0${unit}\0\0`));
    const numbers = Buffer.alloc(7 * 4 + 4 * 8);
    numbers.writeUInt32LE(code, 0);
    numbers.writeUInt32LE(SIZES[code], 4);
    hashed.push(numbers);
    const head = Buffer.alloc(40);
    head[0] = code;
    head.writeUInt16LE(SIZES[code], 2);
    packed.push(head, packText(name), packText(unit), packText(''));
  }
  const head = Buffer.alloc(10);
  const hash = hashOf(Buffer.concat(hashed));
  head.writeBigUInt64LE(hash, 0);
  head.writeUInt16LE(points.length, 8);
  return { hash, points, frame: packFrame(SHAPE, [head, packText(scan), ...packed]) };
}

/** @param {string} type @param {any} value */
function packValue(type, value) {
  const bytes = Buffer.alloc(SIZES[TYPES.indexOf(type)]);
  if (type === 'bool') bytes[0] = value ? 1 : 0;
  else if (type === 'float32') bytes.writeFloatLE(value);
  else if (type === 'float64') bytes.writeDoubleLE(value);
  else if (bytes.length === 8) bytes.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)));
  else if (type.startsWith('int')) bytes.writeIntLE(value, 0, bytes.length);
  else bytes.writeUIntLE(value, 0, bytes.length);
  return bytes;
}

/** All samples good. @param {number} device @param {ReturnType<typeof packShape>} shape
 * @param {any[]} values @param {bigint} timeNs */
function packBatch(device, shape, values, timeNs) {
  const head = Buffer.alloc(48);
  head.writeUInt32LE(device, 0);
  head.writeBigUInt64LE(shape.hash, 8);
  head.writeBigInt64LE(timeNs, 16);
  head.writeUInt16LE(values.length, 44);
  const slots = shape.points.map(([, type], i) => packValue(type, values[i]));
  return packFrame(BATCH, [head, ...slots]);
}

/** An event of a device. @param {number} device @param {string} text @param {bigint} timeNs */
function packEvent(device, text, timeNs) {
  const head = Buffer.alloc(46);
  head.writeUInt32LE(device, 0);
  head.writeBigInt64LE(timeNs, 16);
  head[40] = 1;
  return packFrame(BATCH, [head, packText(text)]);
}

module.exports = {
  ...{ DEVICE, SHAPE, BATCH },
  ...{ splitFrames, unpackDevice, unpackShape, unpackBatch },
  ...{ packDevice, packShape, packBatch, packEvent },
};
