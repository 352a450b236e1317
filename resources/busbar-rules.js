/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the fields of the palette may hold, in one place for the dialogs and for lib/: each rule
   takes what was typed and answers nothing, or a mistake {key, ...words} that SENTENCES turns into a
   sentence. The dialogs have the same sentences in their own language. An empty field is no
   mistake here: whether one must be filled in is the form's business. ${NAME} stands for a variable that
   only the server knows, so that it always fits, except in points, which hold numbers. */

var busbarRules = (() => {
  const TABLES = ['coil', 'discrete', 'input', 'holding'];
  const ADDRESS_KEYS = [...TABLES, 'register', 'assembly'];
  const ORDERS = ['ABCD', 'CDAB', 'BADC', 'DCBA'];
  const BYTES = ['int8', 'uint8'];
  const UNSIGNED = ['uint8', 'uint16', 'uint32', 'uint64'];
  const WHOLE = [...UNSIGNED, 'int8', 'int16', 'int32', 'int64', 'bcd16', 'bcd32', 'bcd64'];
  const NUMBERS = [...WHOLE, 'float32', 'float64'];
  const BIT = ['bit', 'bool'];
  const TYPES = [...BIT, ...NUMBERS, 'text'];
  const MAX_POINTS = 4096;

  /** Keys that make sense with some types only, as the runtime has it. @type {Record<string, string[]>} */
  const FITTING = {
    byte: BYTES,
    bit: [...UNSIGNED, ...BIT],
    bits: UNSIGNED,
    length: ['text'],
    scale: NUMBERS,
    add: NUMBERS,
    scale_from: NUMBERS,
    sign: NUMBERS,
    sentinels: NUMBERS,
    valid: NUMBERS,
    deadband: NUMBERS,
    enum: [...WHOLE, ...BIT],
    flags: UNSIGNED,
  };

  const SENTENCES = {
    missing: 'This is needed.',
    deviceId:
      '"__given__" cannot be an id. Allowed: letters, digits, - _ . (at most 64, not starting with . or -).',
    deviceIdMissing: 'The device needs an id that lasts, such as meter-1.',
    deviceIdTwice: 'The id "__given__" is there twice; the first is in row __first__.',
    deviceIdTaken: 'Another device, "__other__", has the id "__given__" already.',
    pointName:
      '"__given__" cannot be a name. Allowed: letters, digits, - _ . / : [ ] (at most 128, not starting with . or -).',
    pointMissing: 'The point needs a name, such as power/active/total.',
    pointTwice: 'The point "__given__" is there twice; the first is in row __first__.',
    pointNameTaken: 'Another point has the name "__given__" already.',
    pointsMany: 'There are __given__ points; allowed: 4096.',
    tagName:
      '"__given__" cannot name a tag. Allowed: letters, digits, - _ . / : (at most 128, not starting with . or -).',
    tagText: '"__given__" does not read as tags. Write them as line=l1, area=hall-2.',
    tagEmpty: 'The tag "__given__" has no value.',
    tagTwice: 'The tag "__given__" is there twice.',
    duration: '"__given__" is no time. Write 250ms, 5s, 1min, 1h or 1d.',
    durationRange: '__given__ is not possible here. Allowed: __min__ to __max__.',
    size: '"__given__" is no size. Write 64KiB, 16MiB or 1GiB.',
    sizeRange: '__given__ is not possible here. Allowed: __min__ to __max__.',
    whole: '"__given__" does not fit. Allowed: a whole number from __min__ to __max__.',
    number: '"__given__" is no number.',
    choice: '"__given__" is not known here. Allowed: __allowed__.',
    nearest: '"__given__" is not known here. Did you mean __nearest__? Allowed: __allowed__.',
    host: '"__given__" is no address. Write a name or an IP address alone, without http:// and port.',
    listen: '"__given__" does not fit. Write address:port, such as 127.0.0.1:9464.',
    addressMissing: 'The address is missing.',
    addressTable:
      'The table of address __given__ is missing. Write holding, input, coil or discrete, or the address as 400001, 300001, 100001 or 000001.',
    addressEnd:
      'The last register would be __given__, and addresses end at 65535. Is the type right?',
    typeMissing: 'The type is missing: what stands in the registers, such as uint16 or float32.',
    typeBit: 'A coil or discrete input is a bit; "__given__" needs registers.',
    fits: 'This does not go with the type __type__.',
    bitMissing: 'Which bit of the register is it? 0 is the least.',
    lengthMissing: 'How many registers does the text take?',
    order: '"__given__" is no word order. Allowed: ABCD, CDAB, BADC, DCBA.',
    minMax: 'The least value is above the greatest.',
    writeTable: 'Only coils and holding registers can be written.',
    sentinel: '"__given__" is no raw value. Write numbers or 0x bits, up to four.',
    folderTaken:
      'The runtime "__other__" has this data folder already. Each runtime needs one of its own.',
    json: 'This is no JSON: __given__',
    jsonMap: 'A profile is a map in braces: { "points": [ … ] }.',
    jsonPoints: 'The profile has no points yet.',
    deviceColumn:
      'The column "__given__" is missing. The first row names the columns: id, unit, and one for each tag, such as asset, line.',
    pointColumn:
      'The column "__given__" is missing. The first row names the columns: name, table, address, type, unit, scale, scan, write.',
    columnTwice: 'Two columns mean "__given__". Keep one.',
    quoteOpen: 'A quotation mark is opened and never closed; the rest cannot be read.',
    quoteText: 'Behind a closing quotation mark stands more text; write " within quotes as "".',
  };

  /** @typedef {{key: string, given?: string, [word: string]: string | number | undefined}} Mistake */
  /** @typedef {Mistake & {column: string}} ColumnMistake */

  const DURATIONS = { ms: 1, s: 1e3, min: 6e4, m: 6e4, h: 36e5, d: 864e5 };
  const BINARY = { '': 1, B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
  const SIZES = { ...BINARY, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

  /** @param {unknown} value */
  const clean = (value) => String(value ?? '').trim();
  /** @param {unknown} value Whether the server puts a variable in. */
  const isVariable = (value) => /\$\{[^}]+\}/.test(clean(value));
  /** @param {unknown} value */
  const isOpen = (value) => clean(value) === '' || isVariable(value);

  /** The number of units in "1.5min"; NaN if it is none.
   * @param {unknown} text @param {Record<string, number>} units */
  function measure(text, units) {
    const [, number, unit] = /^([0-9]+(?:\.[0-9]+)?) *([A-Za-z]*)$/.exec(clean(text)) ?? [];
    return number !== undefined && Object.hasOwn(units, unit) ? Number(number) * units[unit] : NaN;
  }

  /** @param {unknown} text @returns {number} Milliseconds. */
  const durationMs = (text) => measure(text, DURATIONS);
  /** @param {unknown} text @returns {number} */
  const sizeBytes = (text) => measure(text, SIZES);

  /** @param {unknown} text @param {Record<string, number>} units @param {string} key
   * @param {string} [min] @param {string} [max] @returns {Mistake | undefined} */
  function checkMeasure(text, units, key, min, max) {
    if (isOpen(text)) return undefined;
    const given = clean(text);
    const amount = measure(given, units);
    if (Number.isNaN(amount)) return { key, given };
    const isLow = min !== undefined && amount < measure(min, units);
    const isHigh = max !== undefined && amount > measure(max, units);
    return isLow || isHigh ? { key: `${key}Range`, given, min, max } : undefined;
  }

  /** A whole number, decimal or 0x hex; NaN if it is none. @param {unknown} text */
  function wholeNumber(text) {
    const given = clean(text);
    return /^(0x[0-9a-f]+|[0-9]+)$/i.test(given) ? Number(given) : NaN;
  }

  /** @param {unknown} text @param {number} min @param {number} max @returns {Mistake | undefined} */
  function whole(text, min, max) {
    if (isOpen(text)) return undefined;
    const number = wholeNumber(text);
    return number >= min && number <= max
      ? undefined
      : { key: 'whole', given: clean(text), min, max };
  }

  const isName = (/** @type {string} */ text) => /^[\w/:[\]][\w./:[\]-]{0,127}$/.test(text);
  const isTagName = isName; /* The sentence leaves out [ ]: some databases do not take them. */
  const isDeviceId = (/** @type {unknown} */ text) => /^\w[\w.-]{0,63}$/.test(clean(text));
  const isDecimal = (/** @type {unknown} */ text) =>
    /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(clean(text));

  /** @param {unknown} text @returns {Mistake | undefined} */
  function deviceId(text) {
    return isOpen(text) || isDeviceId(text) ? undefined : { key: 'deviceId', given: clean(text) };
  }

  /** @param {unknown} text @returns {Mistake | undefined} */
  function host(text) {
    const isHost = /^(\[[0-9a-f:.%\w]+\]|[0-9a-f:]*:[0-9a-f:.]+|[\w.-]+)$/i.test(clean(text));
    const hasPort = /^[^:]+:[0-9]+$/.test(clean(text));
    return isOpen(text) || (isHost && !hasPort) ? undefined : { key: 'host', given: clean(text) };
  }

  /** @param {unknown} text @returns {Mistake | undefined} */
  function listen(text) {
    const [, port] = /^[^\s/]+:([0-9]+)$/.exec(clean(text)) ?? [];
    const fits = port !== undefined && Number(port) <= 65535;
    return isOpen(text) || fits ? undefined : { key: 'listen', given: clean(text) };
  }

  /** @param {unknown} tags [{key, value}] @returns {Mistake | undefined} */
  function tagList(tags) {
    const seen = new Set();
    for (const { key, value } of Array.isArray(tags) ? tags : []) {
      const given = clean(key);
      if (given === '') continue;
      if (!isTagName(given)) return { key: 'tagName', given };
      if (seen.has(given)) return { key: 'tagTwice', given };
      if (clean(value) === '') return { key: 'tagEmpty', given };
      seen.add(given);
    }
    return undefined;
  }

  /** "line=l1, area=hall 2" → {line: 'l1', area: 'hall 2'}, or the mistake in it. `\\,` is a comma.
   * @param {unknown} text @returns {{tags: Record<string, string>, mistake?: Mistake}} */
  function readTags(text) {
    /** @type {Record<string, string>} */
    const tags = {};
    for (const part of clean(text).split(/(?<!\\),/)) {
      const word = part.replaceAll('\\,', ',');
      if (clean(word) === '') continue;
      const [, key, value] = /^\s*([^=]*?)\s*=\s*(.*?)\s*$/.exec(word) ?? [];
      if (!key || !value) return { tags, mistake: { key: 'tagText', given: clean(word) } };
      if (!isTagName(key)) return { tags, mistake: { key: 'tagName', given: key } };
      if (Object.hasOwn(tags, key)) return { tags, mistake: { key: 'tagTwice', given: key } };
      tags[key] = value;
    }
    return { tags };
  }

  /** @param {unknown} tags A map, or [{key, value}]. @returns {[string, string][]} */
  function tagEntries(tags) {
    if (Array.isArray(tags)) return tags.map(({ key, value }) => [clean(key), clean(value)]);
    return Object.entries(Object(tags)).map(([key, value]) => [key, clean(value)]);
  }

  /** The other way round. @param {unknown} tags @returns {string} */
  function writeTags(tags) {
    return tagEntries(tags)
      .map(([key, value]) => `${key}=${value.replaceAll(',', '\\,')}`)
      .join(', ');
  }

  /** The word that is meant, if one differs by a letter or two. @param {string} word
   * @param {string[]} known */
  function nearest(word, known) {
    const far = (/** @type {string} */ a, /** @type {string} */ b) => {
      let row = Array.from({ length: b.length + 1 }, (_, i) => i);
      for (let i = 1; i <= a.length; i++) {
        const next = [i];
        for (let k = 1; k <= b.length; k++) {
          const same = a[i - 1] === b[k - 1] ? 0 : 1;
          next[k] = Math.min(next[k - 1] + 1, row[k] + 1, row[k - 1] + same);
        }
        row = next;
      }
      return row[b.length];
    };
    const [best] = known
      .map((other) => ({ other, distance: far(word.toLowerCase(), other.toLowerCase()) }))
      .sort((a, b) => a.distance - b.distance);
    return best && best.distance <= 2 && best.distance < word.length ? best.other : undefined;
  }

  /** @param {unknown} text @param {string[]} known @returns {Mistake | undefined} */
  function choice(text, known) {
    const given = clean(text);
    if (given === '' || known.includes(given)) return undefined;
    const near = nearest(given, known);
    const allowed = known.join(', ');
    return near
      ? { key: 'nearest', given, nearest: near, allowed }
      : { key: 'choice', given, allowed };
  }

  /** How many registers a value takes. @param {Record<string, any>} point */
  function registersOf({ type, length }) {
    if (type === 'text') return Number(length) || 1;
    return Math.max(1, Number(/\d+$/.exec(clean(type))?.[0] ?? 16) / 16);
  }

  /** @param {Record<string, any>} point @returns {ColumnMistake[]} */
  function checkPlace(point) {
    const key = ADDRESS_KEYS.find((name) => point[name] !== undefined);
    if (key === undefined) return [{ column: 'address', key: 'addressMissing' }];
    const given = clean(point[key]);
    const mistake = given === '' ? { key: 'addressMissing' } : whole(given, 0, 65535);
    if (mistake) return [{ column: 'address', ...mistake }];
    if (key === 'coil' || key === 'discrete' || key === 'assembly') return [];
    const end = wholeNumber(given) + registersOf(point) - 1;
    return end > 65535 ? [{ column: 'address', key: 'addressEnd', given: String(end) }] : [];
  }

  /** @param {Record<string, any>} point @returns {ColumnMistake[]} */
  function checkType(point) {
    const isBits = point.coil !== undefined || point.discrete !== undefined;
    const type = clean(point.type);
    if (type === '') return isBits ? [] : [{ column: 'type', key: 'typeMissing' }];
    const mistake = choice(type, TYPES);
    if (mistake) return [{ column: 'type', ...mistake }];
    if (isBits) return BIT.includes(type) ? [] : [{ column: 'type', key: 'typeBit', given: type }];
    /** @type {ColumnMistake[]} */
    const found = Object.keys(FITTING)
      .filter((key) => point[key] !== undefined && !FITTING[key].includes(type))
      .map((column) => ({ column, key: 'fits', type }));
    if (BIT.includes(type) && point.bit === undefined) {
      found.push({ column: 'bit', key: 'bitMissing' });
    }
    if (type === 'text' && point.length === undefined) {
      found.push({ column: 'length', key: 'lengthMissing' });
    }
    return found;
  }

  /** @param {string} column @param {unknown} value @returns {ColumnMistake[]} */
  function checkNumber(column, value) {
    if (value === undefined || isDecimal(value)) return [];
    return [{ column, key: 'number', given: clean(value) }];
  }

  /** @param {string} prefix @param {any} range @returns {ColumnMistake[]} */
  function checkRange(prefix, range) {
    const { min, max, step } = Object(range);
    const found = [
      ...checkNumber(`${prefix}min`, min),
      ...checkNumber(`${prefix}max`, max),
      ...checkNumber(`${prefix}step`, step),
    ];
    if (found.length > 0 || min === undefined || max === undefined) return found;
    return Number(min) > Number(max) ? [{ column: `${prefix}min`, key: 'minMax' }] : [];
  }

  /** @param {Record<string, any>} point @returns {ColumnMistake[]} */
  function checkValues(point) {
    const found = [
      ...checkNumber('scale', point.scale),
      ...checkNumber('add', point.add),
      ...checkNumber('deadband', point.deadband),
      ...checkRange('valid_', point.valid),
      ...(typeof point.write === 'object' ? checkRange('', point.write) : []),
    ];
    /** @type {(column: string, mistake: Mistake | undefined) => void} */
    const take = (column, mistake) => void (mistake && found.push({ column, ...mistake }));
    if (point.order !== undefined && !ORDERS.includes(point.order)) {
      found.push({ column: 'order', key: 'order', given: clean(point.order) });
    }
    take('length', whole(point.length, 1, 250));
    take('bit', whole(point.bit, 0, 63));
    take('bits', whole(point.bits, 1, 64));
    take('byte', choice(point.byte, ['low', 'high']));
    const sentinels = Array.isArray(point.sentinels) ? point.sentinels : [];
    const wrong = sentinels.find(
      (value) => !isDecimal(value) && !/^0x[0-9a-f]+$/i.test(clean(value)),
    );
    if (wrong !== undefined || sentinels.length > 4) {
      found.push({ column: 'sentinels', key: 'sentinel', given: clean(wrong ?? sentinels[4]) });
    }
    if (point.write && (point.input !== undefined || point.discrete !== undefined)) {
      found.push({ column: 'write', key: 'writeTable' });
    }
    return found;
  }

  /** All mistakes of one point; the runtime checks the rest, such as overlaps.
   * @param {Record<string, any>} point @param {boolean} [external] It has no address.
   * @returns {ColumnMistake[]} */
  function checkPoint(point, external) {
    /** @type {ColumnMistake[]} */
    const found = [];
    const name = clean(point.name);
    if (name === '') found.push({ column: 'name', key: 'pointMissing' });
    else if (!isName(name)) found.push({ column: 'name', key: 'pointName', given: name });
    if (point.scan !== undefined && !isName(clean(point.scan))) {
      found.push({ column: 'scan', key: 'pointName', given: clean(point.scan) });
    }
    return [
      ...found,
      ...(external ? [] : checkPlace(point)),
      ...checkType(point),
      ...checkValues(point),
    ];
  }

  /** @param {Mistake} mistake @param {(key: string) => string | undefined} [lookUp] */
  function sentence(mistake, lookUp) {
    const known = /** @type {Record<string, string>} */ (SENTENCES);
    const text = lookUp?.(mistake.key) ?? known[mistake.key] ?? mistake.key;
    return text.replace(/__(\w+?)__/g, (_, word) => String(mistake[word] ?? ''));
  }

  return {
    TABLES,
    ADDRESS_KEYS,
    ORDERS,
    TYPES,
    FITTING,
    MAX_POINTS,
    SENTENCES,
    checkPoint,
    choice,
    clean,
    deviceId,
    duration: (/** @type {unknown} */ text, /** @type {string} */ min, /** @type {string} */ max) =>
      checkMeasure(text, DURATIONS, 'duration', min, max),
    durationMs,
    host,
    isDecimal,
    isDeviceId,
    isName,
    isOpen,
    isTagName,
    isVariable,
    listen,
    readTags,
    sentence,
    size: (/** @type {unknown} */ text, /** @type {string} */ min, /** @type {string} */ max) =>
      checkMeasure(text, SIZES, 'size', min, max),
    sizeBytes,
    tagEntries,
    tagList,
    whole,
    wholeNumber,
    writeTags,
  };
})();

if (typeof module === 'object' && module.exports) module.exports = busbarRules;
