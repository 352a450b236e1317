/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver `external`: shapes and batches, of samples and events, that a program brings (a client of the control socket)
 * become those of a device, as if they had been read. It has no socket of its own.
 *
 * A device takes values from one source at a time: whoever pushes first holds it until it leaves. The
 * connection is up while some device has a source, a device from its first batch on until its source
 * leaves.
 *
 * The scan of a shape is the one of its name. A device with a profile has the profile's scans: what
 * is pushed is put into the profile's points by name and converted to their types; a point that the
 * source leaves out has no sample. A device without a profile has the scan "values", whose points
 * are those of the shape pushed last. A change of shape costs more than a batch: who sends different
 * points in turn is served better by a profile.
 */
#ifndef BB_DRIVERS_EXTERNAL_EXTERNAL_H
#define BB_DRIVERS_EXTERNAL_EXTERNAL_H

#include "plug/driver.h"

extern const bb_driver bb_driver_external;

/* True if the attachment is one of this driver, so that it may be given to the functions below. */
static inline bool bb_external_is(const bb_attachment *attachment) {
  return attachment->conn->driver == &bb_driver_external;
}

/*
 * Makes a shape known before its first batch; a batch does it too. `source` is any address that
 * stands for who sends. 0, or with `reason` (a sentence without the device's name):
 *
 *   BB_ERR_BUSY         another source holds the device
 *   BB_ERR_NOTFOUND     there is no such scan, or the profile has no such point
 *   BB_ERR_TYPE         a text for a number of the profile, or the reverse
 *   BB_ERR_NOMEM
 */
int bb_external_push_shape(bb_attachment *attachment, const void *source, const bb_shape *shape,
                           bb_reason *reason);

/* Takes over the values, qualities, codes and the time of a batch of samples (time 0: now), or time and
 * text of an event. Errors as above; BB_ERR_UNSUPPORTED for other kinds of batches, BB_ERR_INVALID for an
 * event without a text, BB_ERR_LIMIT for one that is too long, BB_ERR_AGAIN when there is no room. */
int bb_external_push_batch(bb_attachment *attachment, const void *source, const bb_batch *batch,
                           bb_reason *reason);

/* The source has left: its device is lost. Harmless if it is not the one that holds it. */
void bb_external_leave(bb_attachment *attachment, const void *source);

#endif
