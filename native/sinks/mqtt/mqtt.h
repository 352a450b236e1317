/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sink `mqtt`: each batch, or each point of it, as a JSON message (encode/json.h) to a topic
 * made from a template (sinks/mqtt/topic.h).
 *
 * What a verdict means here: acknowledged: QoS 0: handed to the socket, QoS 1 and 2: confirmed by
 * the broker; with a message a point, once all of the batch's are. Refused: the broker (MQTT 5)
 * objects to the message itself: too large, topic invalid, payload invalid. Everything else is
 * delivered again.
 *
 * A topic of the sink's own tells whether it is connected, retained:
 * {"online":true,"timestamp":...} after each CONNACK and before the first batch, {"online":false}
 * as the last will, and the same with a timestamp on an orderly close.
 *
 * History carries "historical":true and is never retained; nor are events.
 */
#ifndef BB_SINKS_MQTT_MQTT_H
#define BB_SINKS_MQTT_MQTT_H

#include "plug/sink.h"

extern const bb_sink_kind bb_sink_mqtt;

#endif
