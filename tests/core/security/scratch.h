/* A directory for one test, under TMPDIR or /tmp. */
#ifndef GUIKA_TESTS_CORE_SECURITY_SCRATCH_H
#define GUIKA_TESTS_CORE_SECURITY_SCRATCH_H

/* Makes an empty directory (0700); its name is the caller's to give to scratch_remove. */
char *scratch_make(void);

/* Removes the directory and all in it, and frees the name. */
void scratch_remove(char *directory);

/* "directory/name", to be freed. */
char *scratch_path(const char *directory, const char *name);

#endif
