/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sink `influxdb`: batches as line protocol over HTTP, to InfluxDB 1 (database), InfluxDB 2 and 3
 * (bucket), and what speaks like them (VictoriaMetrics, Telegraf).
 *
 * Batches are collected into requests by lines, bytes and age. A batch is acknowledged when the
 * server has confirmed its request. Of a request that the server refuses in part, the bad batches
 * are found and set aside with the reason, and the others delivered (sift.h). When the server is
 * away, busy, or does not let us in, the sink waits, and says why.
 *
 * Before it is fed, and after each wait, the server is asked /ping: any answer that is no failure of
 * its own (5xx) will do. So a server that is away is known at once, without waiting for data.
 *
 * Events and outcomes go to the measurement `events`. Batches in which no sample is good or uncertain
 * give no line and are acknowledged. Options: docs of bb_influxdb_schema in options.c.
 */
#ifndef BB_SINKS_INFLUXDB_INFLUXDB_H
#define BB_SINKS_INFLUXDB_INFLUXDB_H

#include "plug/sink.h"

extern const bb_sink_kind bb_sink_influxdb;

#endif
