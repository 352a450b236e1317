/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the batches in a request a complaint is about. InfluxDB names few of the lines it refuses,
 * and what it has not refused it has written, or not, depending on the version. So:
 *
 * - lines that the message quotes are refused; the others are written if it says "partial write";
 * - if it dropped as many lines as there were, all are refused;
 * - a field type conflict names measurement, field and type: if it dropped as many lines as write
 *   that, they are refused and the others written; else the two kinds are sent apart;
 * - if it gives the number of a line, that one is refused, and what is before and behind it sent
 *   apart;
 * - what is left is halved and sent again, until a batch is alone with its refusal.
 *
 * Writing a line once more changes nothing: it has the same series, time and values.
 */
#ifndef BB_SINKS_INFLUXDB_SIFT_H
#define BB_SINKS_INFLUXDB_SIFT_H

#include "sinks/influxdb/answer.h"
#include "sinks/influxdb/packet.h"

/* Records in this order: first those refused, then those written, then two pieces to be sent. */
typedef struct bb_influxdb_sifted {
  uint32_t refused;
  uint32_t written;
  uint32_t first;
  uint32_t second;
} bb_influxdb_sifted;

/* Orders the records of a piece by the complaint. Refused ones have their reason's place. */
bb_influxdb_sifted bb_influxdb_sift(bb_influxdb_record *records, uint32_t n,
                                    const bb_influxdb_complaint *complaint,
                                    bb_influxdb_encoder *encoder);

#endif
