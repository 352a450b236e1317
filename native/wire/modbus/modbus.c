/* SPDX-License-Identifier: Apache-2.0 */
/* See modbus.h. */
#include "wire/modbus/modbus.h"

const char *bb_modbus_function_name(uint8_t function) {
  switch (function) {
#define XX(name, code, text)                                                                       \
  case code:                                                                                       \
    return text;
    BB_MODBUS_FUNCTION_MAP(XX)
#undef XX
  }
  return NULL;
}

const char *bb_modbus_exception_name(uint8_t exception) {
  switch (exception) {
#define XX(name, code, text, sentence)                                                             \
  case code:                                                                                       \
    return text;
    BB_MODBUS_EXCEPTION_MAP(XX)
#undef XX
  }
  return NULL;
}

const char *bb_modbus_exception_text(uint8_t exception) {
  switch (exception) {
#define XX(name, code, text, sentence)                                                             \
  case code:                                                                                       \
    return sentence;
    BB_MODBUS_EXCEPTION_MAP(XX)
#undef XX
  }
  return NULL;
}

size_t bb_modbus_data_bytes(uint8_t function, uint32_t quantity) {
  switch (function) {
  case BB_MODBUS_READ_COILS:
  case BB_MODBUS_READ_DISCRETE_INPUTS:
  case BB_MODBUS_WRITE_SINGLE_COIL:
  case BB_MODBUS_WRITE_MULTIPLE_COILS:
    return ((size_t)quantity + 7) / 8;
  case BB_MODBUS_READ_HOLDING_REGISTERS:
  case BB_MODBUS_READ_INPUT_REGISTERS:
  case BB_MODBUS_WRITE_SINGLE_REGISTER:
  case BB_MODBUS_WRITE_MULTIPLE_REGISTERS:
  case BB_MODBUS_MASK_WRITE_REGISTER:
    return (size_t)quantity * 2;
  }
  return 0;
}

uint32_t bb_modbus_quantity_max(uint8_t function) {
  switch (function) {
  case BB_MODBUS_READ_COILS:
  case BB_MODBUS_READ_DISCRETE_INPUTS:
    return BB_MODBUS_READ_BITS_MAX;
  case BB_MODBUS_READ_HOLDING_REGISTERS:
  case BB_MODBUS_READ_INPUT_REGISTERS:
    return BB_MODBUS_READ_REGISTERS_MAX;
  case BB_MODBUS_WRITE_SINGLE_COIL:
  case BB_MODBUS_WRITE_SINGLE_REGISTER:
  case BB_MODBUS_MASK_WRITE_REGISTER:
    return 1;
  case BB_MODBUS_WRITE_MULTIPLE_COILS:
    return BB_MODBUS_WRITE_BITS_MAX;
  case BB_MODBUS_WRITE_MULTIPLE_REGISTERS:
    return BB_MODBUS_WRITE_REGISTERS_MAX;
  }
  return 0;
}
