/*
 * What the leak checker is told to pass over, in every program and test of a build with AddressSanitizer.
 * Each entry is a library's own loss, seen here:
 * - Fontconfig keeps its patterns behind offsets instead of pointers, which the checker cannot follow.
 * - NNG 1.5.2 loses about 2.5 KB where a socket is closed while it connects, or connects again.
 */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\n"
           "leak:libnng.so\n";
}

const char *__lsan_default_options(void);
__attribute__((visibility("default"))) const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}
