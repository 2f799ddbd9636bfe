/* What the file exports, what it needs, and what it would do when it is loaded: read by libelf, not loaded.
 */
#include "plugins/sdk/conformance/steps.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <unistd.h>

#define NEEDED_MOST 32
#define USUAL_CONSTRUCTORS_BYTES 8 /* the compiler's own frame_dummy */

/* The file while it is looked at. */
struct object {
    struct gk_trial *trial;
    Elf *elf;
    const char *needed[NEEDED_MOST]; /* libraries, by name; in the file's memory */
    void *libraries[NEEDED_MOST];    /* handles; NULL where one cannot be opened */
    size_t needed_count;
    bool has_descriptor;
    size_t exported;
};

static bool is_usual_library(const char *name)
{
    static const char *const usual[] = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6"};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        if (strcmp(name, usual[i]) == 0) {
            return true;
        }
    }
    return strncmp(name, "ld-linux", 8) == 0;
}

static void look_at_library(struct object *object, const char *name)
{
    if (name == NULL || object->needed_count == NEEDED_MOST) {
        return;
    }
    void *library = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
    if (library == NULL) {
        gk_trial_note(object->trial, true, "needs %s, which this machine does not have", name);
    } else if (!is_usual_library(name)) {
        gk_trial_note(object->trial, false, "needs %s: it has to be on every machine with a reader", name);
    }
    object->libraries[object->needed_count] = library;
    object->needed[object->needed_count++] = name;
}

static void look_at_dynamic(struct object *object, const GElf_Shdr *header, Elf_Data *data)
{
    size_t count = header->sh_entsize == 0 ? 0 : header->sh_size / header->sh_entsize;
    for (size_t i = 0; i < count; i++) {
        GElf_Dyn entry;
        if (gelf_getdyn(data, (int)i, &entry) == NULL || entry.d_tag == DT_NULL) {
            return;
        }
        if (entry.d_tag == DT_NEEDED) {
            look_at_library(object, elf_strptr(object->elf, header->sh_link, entry.d_un.d_val));
        } else if (entry.d_tag == DT_TEXTREL) {
            gk_trial_note(object->trial, true, "has text relocations: compile it with -fPIC");
        } else if (entry.d_tag == DT_RPATH || entry.d_tag == DT_RUNPATH) {
            gk_trial_note(object->trial, false, "looks for libraries in folders of its own (RPATH)");
        }
    }
}

static bool some_library_has(const struct object *object, const char *name)
{
    for (size_t i = 0; i < object->needed_count; i++) {
        if (object->libraries[i] != NULL && dlsym(object->libraries[i], name) != NULL) {
            return true;
        }
    }
    return false;
}

static void look_at_symbol(struct object *object, const GElf_Sym *symbol, const char *name)
{
    unsigned char bind = GELF_ST_BIND(symbol->st_info);
    if (name == NULL || name[0] == '\0' || bind == STB_LOCAL) {
        return;
    }
    if (symbol->st_shndx == SHN_UNDEF) {
        if (bind != STB_WEAK && !some_library_has(object, name)) {
            gk_trial_note(
                object->trial, true,
                "takes \"%s\" from its host: a plugin sees the SDK's header and its own libraries alone",
                name);
        }
        return;
    }
    object->exported++;
    if (strcmp(name, "guika_issuer") == 0) {
        object->has_descriptor = true;
        return;
    }
    gk_trial_note(object->trial, true, "exports \"%s\": make it static, or compile with -fvisibility=hidden",
                  name);
}

static void look_at_symbols(struct object *object, const GElf_Shdr *header, Elf_Data *data)
{
    size_t count = header->sh_entsize == 0 ? 0 : header->sh_size / header->sh_entsize;
    for (size_t i = 1; i < count; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(data, (int)i, &symbol) == NULL) {
            return;
        }
        look_at_symbol(object, &symbol, elf_strptr(object->elf, header->sh_link, symbol.st_name));
    }
}

/* Sections of one type; libraries have to be known before symbols are looked up in them. */
static void look_at_sections(struct object *object, Elf64_Word type,
                             void (*look)(struct object *object, const GElf_Shdr *header, Elf_Data *data))
{
    for (Elf_Scn *section = NULL; (section = elf_nextscn(object->elf, section)) != NULL;) {
        GElf_Shdr header;
        Elf_Data *data = elf_getdata(section, NULL);
        if (gelf_getshdr(section, &header) != NULL && header.sh_type == type && data != NULL) {
            look(object, &header, data);
        }
    }
}

static void look_at_constructors(struct object *object, const GElf_Shdr *header, Elf_Data *data)
{
    (void)data;
    if (header->sh_size > USUAL_CONSTRUCTORS_BYTES) {
        gk_trial_note(object->trial, false, "runs code of its own when it is loaded (a constructor)");
    }
}

static void look_at_segments(struct object *object)
{
    size_t count = 0;
    (void)elf_getphdrnum(object->elf, &count);
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        if (gelf_getphdr(object->elf, (int)i, &segment) != NULL && segment.p_type == PT_GNU_STACK &&
            (segment.p_flags & PF_X) != 0) {
            gk_trial_note(object->trial, true, "wants a stack that can be executed");
        }
    }
}

/* A shared object for this machine, as this program itself is? */
static bool is_for_this_machine(Elf *elf)
{
    GElf_Ehdr its, ours = {.e_machine = EM_NONE};
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    Elf *self = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
    if (self != NULL) {
        (void)gelf_getehdr(self, &ours);
        (void)elf_end(self);
    }
    if (fd >= 0) {
        close(fd);
    }
    return gelf_getehdr(elf, &its) != NULL && its.e_type == ET_DYN && its.e_machine == ours.e_machine;
}

void gk_step_symbols(void *options, struct gk_trial *trial)
{
    const struct gk_conformance_options *from = options;
    int fd = open(from->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct object object = {.trial = trial};
    (void)elf_version(EV_CURRENT);
    gk_trial_doing(trial, "its ELF structures were being read");
    object.elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
    if (object.elf == NULL || elf_kind(object.elf) != ELF_K_ELF || !is_for_this_machine(object.elf)) {
        gk_trial_note(trial, true, "%s: no shared object for this machine", from->file);
        return;
    }
    look_at_sections(&object, SHT_DYNAMIC, look_at_dynamic);
    look_at_sections(&object, SHT_DYNSYM, look_at_symbols);
    look_at_sections(&object, SHT_INIT_ARRAY, look_at_constructors);
    look_at_segments(&object);
    if (!object.has_descriptor) {
        gk_trial_note(trial, true, "exports no \"guika_issuer\"");
    }
    gk_trial_sum_up(trial, "exports guika_issuer alone; needs %zu %s", object.needed_count,
                    object.needed_count == 1 ? "library" : "libraries");
}
