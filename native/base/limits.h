/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every maximum that bounds something which can grow, with its name. A limit that concerns one
 * protocol stands in that protocol's header instead.
 */
#ifndef BB_BASE_LIMITS_H
#define BB_BASE_LIMITS_H

#define BB_MAX_ID 64                 /* bytes of an id, without the terminator */
#define BB_MAX_NAME 128              /* bytes of a point, scan or tag name */
#define BB_MAX_TEXT 1024             /* bytes of a tag value, unit or description */
#define BB_MAX_PATH 4096             /* bytes of a path in the config document */
#define BB_MAX_DOC_BYTES (64u << 20) /* one config document or profile as text */
#define BB_MAX_DOC_NODES 4000000u    /* nodes of one document */
#define BB_MAX_DOC_DEPTH 32          /* nesting of one document */
#define BB_MAX_MISTAKES 1000         /* mistakes kept by one report; the rest is counted */
#define BB_MAX_CONNECTIONS 20000
#define BB_MAX_DEVICES 20000
#define BB_MAX_SINKS 64 /* one bit each in a route set */
#define BB_MAX_ROUTES 4096
#define BB_MAX_STREAMS 256            /* distinct route sets */
#define BB_MAX_TAGS 32                /* tags of one device, those of the site included */
#define BB_MAX_POINTS 4096            /* points of one profile, so of one shape */
#define BB_MAX_SCANS 16               /* scans of one device */
#define BB_MAX_STRING_VALUE 250       /* bytes of a string value (125 registers) */
#define BB_MAX_FRAME_BYTES (1u << 20) /* one frame in the store or on the socket */
#define BB_MAX_COMMAND_POINTS 64      /* points that one command writes */
#define BB_MAX_EVENT_TEXT 60000       /* bytes of the text of an event or outcome */
#define BB_MAX_REASON 160             /* bytes of a reason, terminator included */
#define BB_MAX_CLIENTS 64             /* clients of the control socket */
#define BB_MAX_LOG_LINE 2048          /* bytes of one log line; the rest is cut */

#endif
