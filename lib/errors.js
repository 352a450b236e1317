/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What goes wrong between Node-RED and the runtime, as one kind of error. Its message is for a
   person: what happened, where, what to do. Its code is for programs:

     BUSBAR_DOWN        no runtime answers, or the connection to it is gone
     BUSBAR_TIMEOUT     it is there, but did not answer in time
     BUSBAR_REFUSED     it answered no; details is its answer, with a code of its own (NOTFOUND, …)
     BUSBAR_FULL        too much waits for it already
     BUSBAR_CONFIG      what the nodes of the flows say cannot be
     BUSBAR_INVALID     the caller asked for what cannot be
     BUSBAR_PERMISSION  this user may not
     BUSBAR_VERSION     it speaks another protocol
     BUSBAR_PROTOCOL    what answers is no runtime, or what came is no message
     BUSBAR_PATH        the path of the socket or of the data directory cannot be used
     BUSBAR_NO_BINARY   the executable is missing, or cannot run here
     BUSBAR_ENDED       the runtime was started and ended
     BUSBAR_PLATFORM    there is no runtime for this system */

/**
 * A mistake in a document or a request, as the runtime names it.
 * @typedef {{file: string, line: number, path: string, text: string}} Mistake
 */

class BusbarError extends Error {
  /**
   * @param {string} code @param {string} message
   * @param {{mistakes?: Mistake[], details?: Record<string, any>, cause?: unknown}} [more]
   */
  constructor(code, message, { mistakes, details, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'BusbarError';
    this.code = code;
    /** All mistakes of a document or a request, where the runtime named some. */
    this.mistakes = mistakes;
    /** What programs may want to know besides; its form goes with the code. */
    this.details = details;
  }
}

/** The text of whatever was thrown. @param {unknown} error @returns {string} */
function textOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/** The code of a system error, such as ENOENT; '' without one.
 * @param {unknown} error @returns {string} */
function codeOf(error) {
  return String(/** @type {{code?: unknown} | null} */ (error)?.code ?? '');
}

/** Whatever was thrown, as an error: `done` takes nothing else for a failure.
 * @param {unknown} error @returns {Error} */
function asError(error) {
  return error instanceof Error ? error : new Error(textOf(error) || 'failed without a reason');
}

module.exports = { BusbarError, asError, codeOf, textOf };
