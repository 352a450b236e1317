/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The nodes of node-red-contrib-modbus have two outputs, ours one. What was wired to the second keeps
   getting the message it knows, from a change node behind the first; modbus-response, which shows a
   message in its status, becomes a debug node that does the same. */

const { text, wiresOf } = require('./flow');

/** @typedef {import('./flow').FlowNode} FlowNode */
/** @typedef {import('./flow').Flow} Flow */

/** The second message of a read: the response as payload, the values beside it. */
const SECOND = [
  { t: 'set', p: 'values', pt: 'msg', to: 'payload', tot: 'msg' },
  { t: 'set', p: 'payload', pt: 'msg', to: 'responseBuffer', tot: 'msg' },
  { t: 'delete', p: 'responseBuffer', pt: 'msg' },
];

/** A core change node's settings. @param {string} name @param {object[]} rules
 * @param {string[]} targets */
function changeFields(name, rules, targets) {
  return { name, rules, action: '', property: '', from: '', to: '', reg: false, wires: [targets] };
}

/** @param {Flow} flow @param {FlowNode} node */
function splitSecond(flow, node) {
  const targets = wiresOf(node)[1] ?? [];
  const isResponse = (/** @type {string} */ id) => flow.get(id)?.type === 'modbus-response';
  return {
    responses: targets.filter(isResponse),
    others: targets.filter((id) => !isResponse(id)),
    atEnd: flow.isExit(node.id, 1),
  };
}

/** The wires of the one output of a node that reads. @param {Flow} flow @param {FlowNode} node */
function joinOutputs(flow, node) {
  const { responses, others, atEnd } = splitSecond(flow, node);
  const wires = [...(wiresOf(node)[0] ?? []), ...responses];
  if (others.length > 0 || atEnd) {
    const change = flow.addBeside(node, 'second', changeFields('as output 2', SECOND, others));
    flow.moveExit(node.id, 1, { id: change.id, port: 0 });
    wires.push(change.id);
  }
  return [[...new Set(wires)]];
}

/** @param {Flow} flow @param {string} id */
function nameOf(flow, id) {
  return text(flow.get(id)?.name) || id;
}

/** The wires of a node that writes: there is nothing that could give the second message.
 * @param {Flow} flow @param {FlowNode} node */
function dropSecond(flow, node) {
  const { responses, others, atEnd } = splitSecond(flow, node);
  const wires = [...(wiresOf(node)[0] ?? []), ...responses];
  if (others.length > 0 || atEnd) {
    const names = others.map((id) => `${flow.get(id)?.type ?? 'node'} ${nameOf(flow, id)}`);
    if (atEnd) names.push('the output of the subflow');
    flow.note(
      node,
      `Its second output, the bare response, is gone, and with it the wires to ${names.join(', ')}.`,
    );
    flow.moveExit(node.id, 1);
  }
  return [[...new Set(wires)]];
}

/** Every modbus-response behind a migrated node becomes a debug node.
 * @param {Flow} flow @param {FlowNode[]} migrated As they were. */
function replaceResponses(flow, migrated) {
  const behind = (/** @type {FlowNode[]} */ nodes) =>
    new Set(nodes.flatMap((node) => wiresOf(node).flat()));
  const all = behind(migrated);
  const reads = behind(migrated.filter(({ type }) => !type.endsWith('-write')));
  for (const node of flow.list('modbus-response').filter(({ id }) => all.has(id))) {
    const shown = reads.has(node.id) ? 'payload' : 'outcome';
    flow.replace(node, 'debug', {
      name: text(node.name),
      active: true,
      tosidebar: false,
      console: false,
      tostatus: true,
      complete: shown,
      targetType: 'msg',
      statusVal: shown,
      statusType: 'auto',
      wires: [],
    });
    flow.note(node, `Is a debug node now, which shows the ${shown} in its status.`);
  }
}

module.exports = { changeFields, dropSecond, joinOutputs, replaceResponses };
