/* SPDX-License-Identifier: Apache-2.0 */
/* Places and numbers of the layout in pack.h, for the writer and the reader. */
#ifndef BB_STORE_PACK_LAYOUT_H
#define BB_STORE_PACK_LAYOUT_H

#define BB_PACK_HEADER 16
#define BB_PACK_CRC 4 /* bytes of the checksum, which does not cover itself */
#define BB_PACK_FAMILY 16
#define BB_PACK_SOURCE 10

/* The head of a record: the kind, and which parts follow. */
#define BB_PACK_KIND 0x0f
#define BB_PACK_QUALITY 0x10
#define BB_PACK_CODES 0x20
#define BB_PACK_TEXT 0x40

#define BB_PACK_VARINT 10 /* bytes of the longest one */

#endif
