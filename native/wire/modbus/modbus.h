/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words and limits of Modbus, after "MODBUS Application Protocol Specification V1.1b3" (here:
 * AP) and "MODBUS Messaging on TCP/IP Implementation Guide V1.0b" (here: TCP).
 *
 * A PDU is a function code and its data (AP 4.1). wire/modbus/request.h and response.h pack and
 * unpack PDUs; mbap.h and rtu.h put them into the frames of TCP and of a serial line. None of them
 * does I/O, keeps state or allocates.
 *
 * Values stand in a PDU as they do in `data` everywhere in this folder: registers high byte first,
 * coils and discrete inputs packed from the lowest bit of the first byte on (AP 4.2, 6.1).
 */
#ifndef BB_WIRE_MODBUS_MODBUS_H
#define BB_WIRE_MODBUS_MODBUS_H

#include <stddef.h>
#include <stdint.h>

#define BB_MODBUS_PDU_MAX 253 /* bytes (AP 4.1) */
#define BB_MODBUS_TCP_MAX 260 /* bytes of a frame on TCP */
#define BB_MODBUS_RTU_MAX 256 /* bytes of a frame on a serial line */

#define BB_MODBUS_READ_BITS_MAX 2000      /* AP 6.1, 6.2 */
#define BB_MODBUS_READ_REGISTERS_MAX 125  /* AP 6.3, 6.4 */
#define BB_MODBUS_WRITE_BITS_MAX 1968     /* AP 6.11 */
#define BB_MODBUS_WRITE_REGISTERS_MAX 123 /* AP 6.12 */
#define BB_MODBUS_DIAGNOSTIC_MAX 250      /* bytes of data (AP 6.8) */
#define BB_MODBUS_ADDRESSES 65536u

#define BB_MODBUS_TCP_PORT 502
#define BB_MODBUS_BROADCAST 0    /* unit of a serial line: all, and none answers */
#define BB_MODBUS_EXCEPTION 0x80 /* added to the function code of a refusal (AP 7) */
#define BB_MODBUS_QUERY_DATA 0   /* sub-function of diagnostics: return the data (AP 6.8.1) */

/* Name, code, what it is called. */
#define BB_MODBUS_FUNCTION_MAP(XX)                                                                 \
  XX(READ_COILS, 1, "read coils")                                                                  \
  XX(READ_DISCRETE_INPUTS, 2, "read discrete inputs")                                              \
  XX(READ_HOLDING_REGISTERS, 3, "read holding registers")                                          \
  XX(READ_INPUT_REGISTERS, 4, "read input registers")                                              \
  XX(WRITE_SINGLE_COIL, 5, "write single coil")                                                    \
  XX(WRITE_SINGLE_REGISTER, 6, "write single register")                                            \
  XX(DIAGNOSTICS, 8, "diagnostics")                                                                \
  XX(WRITE_MULTIPLE_COILS, 15, "write multiple coils")                                             \
  XX(WRITE_MULTIPLE_REGISTERS, 16, "write multiple registers")                                     \
  XX(MASK_WRITE_REGISTER, 22, "mask write register")

/* Name, code, what it is called, what it means to a person (AP 7). */
#define BB_MODBUS_EXCEPTION_MAP(XX)                                                                \
  XX(ILLEGAL_FUNCTION, 1, "illegal function", "the device does not know this function")            \
  XX(ILLEGAL_DATA_ADDRESS, 2, "illegal data address",                                              \
     "the device has no such address, or not so many in a row")                                    \
  XX(ILLEGAL_DATA_VALUE, 3, "illegal data value",                                                  \
     "the device does not accept this value, or not so many at once")                              \
  XX(SERVER_DEVICE_FAILURE, 4, "server device failure", "the device failed while it tried")        \
  XX(ACKNOWLEDGE, 5, "acknowledge", "the device has begun and needs more time")                    \
  XX(SERVER_DEVICE_BUSY, 6, "server device busy", "the device is busy with something longer")      \
  XX(MEMORY_PARITY_ERROR, 8, "memory parity error", "the device found an error in its memory")     \
  XX(GATEWAY_PATH_UNAVAILABLE, 10, "gateway path unavailable",                                     \
     "the gateway has no free path to this unit, or is set up wrongly")                            \
  XX(GATEWAY_TARGET_FAILED, 11, "gateway target device failed to respond",                         \
     "the gateway got no answer from this unit; it may be off or not on the line")

enum bb_modbus_function {
#define XX(name, code, text) BB_MODBUS_##name = (code),
  BB_MODBUS_FUNCTION_MAP(XX)
#undef XX
};

enum bb_modbus_exception {
#define XX(name, code, text, sentence) BB_MODBUS_##name = (code),
  BB_MODBUS_EXCEPTION_MAP(XX)
#undef XX
};

/* "read holding registers"; NULL for a code that is not above. Static storage. */
const char *bb_modbus_function_name(uint8_t function);

/* "illegal data address" and its sentence; NULL for a code that is not above (devices invent some).
 * Static storage. */
const char *bb_modbus_exception_name(uint8_t exception);
const char *bb_modbus_exception_text(uint8_t exception);

/* How many bytes `quantity` coils, discrete inputs or registers take, by the function that reads or
 * writes them; 0 for diagnostics and functions not above. */
size_t bb_modbus_data_bytes(uint8_t function, uint32_t quantity);

/* The most that one request of the function may name; 0 as above. */
uint32_t bb_modbus_quantity_max(uint8_t function);

#endif
