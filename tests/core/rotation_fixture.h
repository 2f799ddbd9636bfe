/* A rotation of the keys on a registry's store, for tests. */
#ifndef GUIKA_TESTS_CORE_ROTATION_FIXTURE_H
#define GUIKA_TESTS_CORE_ROTATION_FIXTURE_H

#include "tests/core/registry/registry_fixture.h"

/* A whole rotation, as the service does it. */
void rotation_run(struct registry_fixture *fixture);
/* The file `name` in the folder of keys; "": the folder. */
void rotation_keys_path(const struct registry_fixture *fixture, const char *name, char ret_path[128]);

#endif
