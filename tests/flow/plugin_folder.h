/* A real guikad with a plugin folder of its own, for tests that put plugins in and take them out. */
#ifndef GUIKA_TESTS_FLOW_PLUGIN_FOLDER_H
#define GUIKA_TESTS_FLOW_PLUGIN_FOLDER_H

#include "tests/flow/service.h"

#define GK_TEST_SHELF GUIKA_BINARY_DIR "/lib/guika/issuers/" /* what ships */
#define GK_TEST_BAD GUIKA_BINARY_DIR "/tests/bad_plugins/"   /* what misbehaves */

/* Makes a service whose folder holds octopus.so and iso7812.so; `more` goes into its section readers. Not
 * started. */
void gk_test_plugins_make(struct gk_test_service *service, unsigned readers, const char *more);

/* Puts a copy of `from` into the folder as `file`, by rename, with `count` bytes behind its end, which make
 * it another file and no other plugin. */
void gk_test_plugins_put(const struct gk_test_service *service, const char *from, const char *file,
                         unsigned count);
void gk_test_plugins_remove(const struct gk_test_service *service, const char *file);

/* What the operator sees of the file; zeroes where it is not listed. */
guika_v1_PluginRow gk_test_plugins_row(const struct gk_test_service *service, const char *file);

/* Waits until it has that state; fails the test after 20 s. */
guika_v1_PluginRow gk_test_plugins_wait(const struct gk_test_service *service, const char *file,
                                        guika_v1_PluginState state);
/* Waits until all readers have the newest shelf: for 300 ms the log has told of no other. */
void gk_test_plugins_settle(const struct gk_test_service *service);
/* Waits until the file is not listed any more, and settles. */
void gk_test_plugins_wait_gone(const struct gk_test_service *service, const char *file);

/* Waits until the log says so `count` times; fails the test after 30 s. */
void gk_test_wait_for_log(const struct gk_test_service *service, const char *words, size_t count);

#endif
