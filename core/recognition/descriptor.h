/*
 * Reads an issuer's descriptor across the minor versions of guika/issuer.h: a field that came later is read
 * only where the plugin's struct_size says that it is there. Everything here is pure.
 */
#ifndef GUIKA_CORE_RECOGNITION_DESCRIPTOR_H
#define GUIKA_CORE_RECOGNITION_DESCRIPTOR_H

#include "core/host/plugin_loader.h"
#include "core/recognition/barcode.h"
#include "core/recognition/rules.h"

/* What the loader has to know of issuer plugins: this host's version, and gk_rules_check_descriptor. [any] */
const struct gk_plugin_kind *gk_descriptor_kind(void);

/* The least struct_size, bytes, of a plugin made for minor version `minor`, which is not above this host's.
 * [any] */
uint32_t gk_descriptor_size(uint16_t minor);

/* The bar codes that the issuer declares, borrowed; none (NULL and 0) where it was made for 1.0. [any] */
const struct guika_barcode *gk_descriptor_barcodes(const struct guika_issuer *issuer, size_t *ret_count);

/* Do the issuer's cards carry their number as a bar code too? false for NULL. [any] */
bool gk_descriptor_has_barcodes(const struct guika_issuer *issuer);

/* How much of a number is shown; all 0 where the plugin does not say. [any] */
struct guika_masking gk_descriptor_masking(const struct guika_issuer *issuer);

/* Cuts the number out of a bar code's text as `field` tells; canonical. False where the symbology is another,
 * the marker is missing or nothing is left. What is cut out the rules have yet to judge. [any] */
bool gk_descriptor_cut(const struct guika_barcode *field, const struct gk_barcode *code,
                       char ret_number[GK_NUMBER_SIZE]);

#endif
