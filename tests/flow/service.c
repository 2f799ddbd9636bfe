#include "tests/flow/service.h"

#include "core/store/store.h"
#include "rpc/repeated.h"
#include "tests/mint/mint.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { START_WAIT_MS = 30000, STOP_WAIT_MS = 30000 };

void gk_test_service_configure(const struct gk_test_service *service, const char *format, ...)
{
    char path[96];
    va_list arguments;

    (void)snprintf(path, sizeof path, "%s/service/guikad.conf", service->directory);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    va_start(arguments, format);
    (void)vfprintf(file, format, arguments);
    va_end(arguments);
    assert_int_equal(fclose(file), 0);
}

static void read_line(const char *path, char *ret_line, int size)
{
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    assert_non_null(fgets(ret_line, size, file));
    ret_line[strcspn(ret_line, "\n")] = '\0';
    (void)fclose(file);
}

void gk_test_service_make(struct gk_test_service *service, unsigned readers)
{
    gk_test_service_make_from(service, GUIKA_BINARY_DIR "/bin", readers);
}

void gk_test_service_make_from(struct gk_test_service *service, const char *programs, unsigned readers)
{
    char guikad[PATH_MAX];
    char configuration[96];
    char token_file[96];
    const char *arguments[] = {guikad, "--init", "--config", configuration, NULL};

    *service = (struct gk_test_service){.programs = programs, .directory = "/tmp/guika-flow-XXXXXX"};
    (void)snprintf(guikad, sizeof guikad, "%s/guikad", programs);
    assert_non_null(mkdtemp(service->directory));
    (void)snprintf(service->maildir, sizeof service->maildir, "%s/mail", service->directory);
    (void)snprintf(service->log, sizeof service->log, "%s/log", service->directory);
    (void)snprintf(service->url, sizeof service->url, "tcp://127.0.0.1:%u", gk_test_free_port());
    (void)snprintf(configuration, sizeof configuration, "%s/service/guikad.conf", service->directory);
    assert_int_equal(gk_test_wait(gk_test_spawn(service->log, arguments), START_WAIT_MS), 0);
    gk_test_service_configure(service,
                              "listen = {\"%s\"}\n"
                              "cache_mib = 8\n"
                              "readers { count = %u }\n"
                              "channel \"smtp\" {\n"
                              "    plugin = \"maildir\"\n"
                              "    path = \"%s\"\n"
                              "    from = \"Guika <no-reply@guika.example>\"\n"
                              "}\n",
                              service->url, readers, service->maildir);
    (void)snprintf(token_file, sizeof token_file, "%s/service/operator.token", service->directory);
    read_line(token_file, service->operator_token, sizeof service->operator_token);
}

/* The shelf is known once an import of an example number is taken; asking the log is simpler, and it says so.
 */
static void wait_for_log(const struct gk_test_service *service, const char *words)
{
    for (unsigned waited = 0; waited < START_WAIT_MS; waited += 20) {
        char name[PATH_MAX];

        if (gk_test_files_with(service->log, words, strlen(words), name) > 0) {
            return;
        }
        gk_test_sleep_ms(20);
    }
    fail_msg("guikad never logged \"%s\"; see %s", words, service->log);
}

void gk_test_service_start(struct gk_test_service *service)
{
    char guikad[PATH_MAX];
    char configuration[96];
    const char *arguments[] = {guikad, "--config", configuration, NULL};

    (void)snprintf(guikad, sizeof guikad, "%s/guikad", service->programs);
    (void)snprintf(configuration, sizeof configuration, "%s/service/guikad.conf", service->directory);
    assert_true(truncate(service->log, 0) == 0 || errno == ENOENT);
    service->process_id = gk_test_spawn(service->log, arguments);
    wait_for_log(service, "event=serving");
    wait_for_log(service, "event=shelf");
}

int gk_test_service_stop(struct gk_test_service *service, int signal_number)
{
    assert_true(service->process_id > 0); /* 0 would be this test's own process group */
    assert_int_equal(kill(service->process_id, signal_number), 0);
    const int status = gk_test_wait(service->process_id, STOP_WAIT_MS);

    assert_true(status >= 0);
    service->process_id = 0;
    return status;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

void gk_test_service_remove(struct gk_test_service *service)
{
    if (service->process_id != 0) {
        (void)gk_test_service_stop(service, SIGKILL);
    }
    (void)nftw(service->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

size_t gk_test_children(const struct gk_test_service *service, const char *name, pid_t *ret_ids, size_t room)
{
    DIR *processes = opendir("/proc");
    const struct dirent *entry;
    size_t count = 0;

    while ((entry = readdir(processes)) != NULL && count < room) {
        char path[300];
        char program[64];
        int id, parent;
        char state;
        FILE *file;

        (void)snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        file = fopen(path, "r");
        if (file == NULL) {
            continue;
        }
        if (fscanf(file, "%d (%63[^)]) %c %d", &id, program, &state, &parent) == 4 &&
            parent == service->process_id && strncmp(program, name, 15) == 0) {
            ret_ids[count++] = id;
        }
        (void)fclose(file);
    }
    (void)closedir(processes);
    return count;
}

/* --- calls --- */

struct gk_rpc_client *gk_test_client(const struct gk_test_service *service, const char *token)
{
    const struct gk_rpc_client_options options = {.url = service->url, .token = token, .language = "en"};
    struct gk_rpc_client *client;

    assert_int_equal(gk_rpc_client_open(&options, &client, NULL), GK_OK);
    return client;
}

void gk_test_add_box(const struct gk_test_service *service, const char *box_id,
                     char ret_token[GK_TEST_TOKEN_SIZE])
{
    struct gk_rpc_client *client = gk_test_client(service, service->operator_token);
    guika_v1_AddBoxRequest request = {
        .has_place = true,
        .place = {.zh = "图书馆一楼东门", .en = "Library, ground floor, east door"},
        .map_url = "https://map.example/library",
        .has_opening_hours = true,
        .opening_hours = {.zh = "每天 8:00–22:00", .en = "daily 8:00-22:00"},
        .has_collecting = true,
        .collecting = {.zh = "请带身份证件到服务台领取",
                       .en = "Bring an identity document to the service desk"},
    };
    guika_v1_AddBoxResponse response = {0};

    (void)snprintf(request.box_id, sizeof request.box_id, "%s", box_id);
    assert_int_equal(guika_v1_operator_service_add_box(client, NULL, &request, &response, NULL), GK_OK);
    (void)snprintf(ret_token, GK_TEST_TOKEN_SIZE, "%s", response.token);
    gk_rpc_client_close(client);
}

void gk_test_add_issuer(const struct gk_test_service *service, const char *issuer_id, const char *binding,
                        char ret_token[GK_TEST_TOKEN_SIZE])
{
    struct gk_rpc_client *client = gk_test_client(service, service->operator_token);
    guika_v1_AddIssuerRequest request = {.bindings_count = 1};
    guika_v1_AddIssuerResponse response = {0};

    (void)snprintf(request.issuer_id, sizeof request.issuer_id, "%s", issuer_id);
    (void)snprintf(request.bindings[0], sizeof request.bindings[0], "%s", binding);
    assert_int_equal(guika_v1_operator_service_add_issuer(client, NULL, &request, &response, NULL), GK_OK);
    (void)snprintf(ret_token, GK_TEST_TOKEN_SIZE, "%s", response.token);
    gk_rpc_client_close(client);
}

static void fill_row(const struct gk_test_holder *holder, guika_v1_CardRow *row)
{
    *row = (guika_v1_CardRow){0};
    (void)snprintf(row->scheme, sizeof row->scheme, "%s", holder->scheme);
    (void)snprintf(row->number, sizeof row->number, "%s", holder->number);
    (void)snprintf(row->holder_id, sizeof row->holder_id, "%s", holder->holder_id);
    (void)snprintf(row->name, sizeof row->name, "Holder %s", holder->holder_id);
    (void)snprintf(row->language, sizeof row->language, "%s", holder->language);
    for (const char *contact = holder->contact; *contact != '\0'; row->contacts_count++) {
        const size_t length = strcspn(contact, ";");

        (void)snprintf(row->contacts[row->contacts_count], sizeof row->contacts[0], "%.*s", (int)length,
                       contact);
        contact += length + (contact[length] == ';');
    }
}

void gk_test_import(const struct gk_test_service *service, const char *issuer_token, const char *import_id,
                    const struct gk_test_holder *holders, size_t count)
{
    enum { PAGE = 200 };
    struct gk_rpc_client *client = gk_test_client(service, issuer_token);

    for (size_t done = 0; done < count; done += PAGE) {
        guika_v1_ImportCardsRequest request = {.page = (uint32_t)(done / PAGE), .last = done + PAGE >= count};
        guika_v1_ImportCardsResponse *response = calloc(1, sizeof *response);
        struct gk_repeated rows = {0};
        struct gk_error error = {0};

        (void)snprintf(request.import_id, sizeof request.import_id, "%s", import_id);
        for (size_t i = done; i < count && i < done + PAGE; i++) {
            guika_v1_CardRow row;

            fill_row(&holders[i], &row);
            assert_int_equal(gk_repeated_append(&rows, guika_v1_CardRow_fields, &row), GK_OK);
        }
        request.page_rows = gk_repeated_bytes(&rows);
        if (guika_v1_issuer_service_import_cards(client, NULL, &request, response, &error) != GK_OK) {
            fail_msg("import: %s", error.message);
        }
        assert_int_equal(response->rejected_count, 0);
        assert_int_equal(response->in_force, request.last);
        gk_repeated_free(&rows);
        free(response);
    }
    gk_rpc_client_close(client);
}

enum gk_status gk_test_deposit(struct gk_rpc_client *client, const char *deposit_id,
                               const struct gk_test_picture *picture, guika_v1_DepositResponse *ret_response,
                               struct gk_error *error)
{
    /* Sanitizers and busy machines are slow; the service's own leases stay as they are. */
    const struct gk_rpc_call_options options = {.deadline_ms = 5000};
    guika_v1_DepositRequest request = {.frames_count = 1};

    (void)snprintf(request.deposit_id, sizeof request.deposit_id, "%s", deposit_id);
    request.frames[0].picture = (struct gk_bytes){picture->data, picture->size};
    request.frames[0].side = guika_v1_Side_SIDE_FRONT;
    return guika_v1_box_service_deposit(client, &options, &request, ret_response, error);
}

void gk_test_confirm_stored(struct gk_rpc_client *client, const char *deposit_id, guika_v1_Zone zone)
{
    guika_v1_ConfirmStoredRequest request = {
        .outcome = guika_v1_ConfirmStoredRequest_Outcome_STORED, .zone = zone, .compartment = "7"};
    guika_v1_ConfirmStoredResponse response;
    struct gk_error error = {0};

    (void)snprintf(request.deposit_id, sizeof request.deposit_id, "%s", deposit_id);
    if (guika_v1_box_service_confirm_stored(client, NULL, &request, &response, &error) != GK_OK) {
        fail_msg("confirm: %s", error.message);
    }
}

/* --- pictures --- */

static struct gk_test_picture draw(const struct gk_mint_card *card, const struct gk_mint_scene *scene)
{
    struct gk_mint_picture drawn;
    struct gk_test_picture picture = {0};
    char *data = NULL;
    FILE *stream = open_memstream(&data, &picture.size);

    assert_int_equal(gk_mint_draw(card, scene, &drawn), 0);
    assert_int_equal(gk_mint_write_jpeg(stream, &drawn, 90), 0);
    (void)fclose(stream);
    gk_mint_picture_clear(&drawn);
    picture.data = (uint8_t *)data;
    return picture;
}

static struct gk_test_picture mint(enum gk_mint_kind kind, const char *brand, uint64_t seed,
                                   char ret_number[40])
{
    struct gk_mint_card card;
    struct gk_mint_scene scene;

    gk_mint_card_random(kind, brand, seed, &card);
    card.print = GK_MINT_FLAT;
    card.layout = GK_MINT_LINE;
    gk_mint_scene_random(0, seed, &scene);
    scene.rotation_degrees = 0;
    scene.tilt_x_degrees = 0;
    scene.tilt_y_degrees = 0;
    scene.background = GK_MINT_TRAY;
    gk_mint_scene_fit(&card, &scene);
    (void)snprintf(ret_number, 40, "%s", card.number);
    return draw(&card, &scene);
}

struct gk_test_picture gk_test_mint_card(uint64_t seed, char ret_number[40])
{
    return mint(GK_MINT_PAYMENT, "visa", seed, ret_number);
}

struct gk_test_picture gk_test_mint_transit(uint64_t seed, char ret_number[40])
{
    return mint(GK_MINT_TRANSIT, "tunion", seed, ret_number);
}

struct gk_test_picture gk_test_mint_misprint(uint64_t seed)
{
    struct gk_mint_card card;
    struct gk_mint_scene scene;

    gk_mint_card_random(GK_MINT_PAYMENT, "visa", seed, &card);
    card.print = GK_MINT_FLAT;
    card.layout = GK_MINT_LINE;
    char *last = &card.number[strlen(card.number) - 1];

    *last = (char)(*last == '9' ? '0' : *last + 1);
    gk_mint_scene_random(0, seed, &scene);
    scene.rotation_degrees = 0;
    scene.tilt_x_degrees = 0;
    scene.tilt_y_degrees = 0;
    scene.background = GK_MINT_TRAY;
    gk_mint_scene_fit(&card, &scene);
    return draw(&card, &scene);
}

struct gk_test_picture gk_test_mint_nothing(uint64_t seed)
{
    struct gk_mint_card card;
    struct gk_mint_scene scene;

    gk_mint_card_random(GK_MINT_NOTHING, NULL, seed, &card);
    gk_mint_scene_random(0, seed, &scene);
    return draw(&card, &scene);
}

/* --- what the operator sees and does --- */

void gk_test_move(const struct gk_test_service *service, const char *case_id, const char *box_id,
                  const char *compartment)
{
    struct gk_rpc_client *client = gk_test_client(service, service->operator_token);
    guika_v1_MoveCardRequest request = {.place = guika_v1_PlaceKind_PLACE_KIND_COMPARTMENT};
    guika_v1_MoveCardResponse response = {0};
    struct gk_error error = {0};

    (void)snprintf(request.case_number, sizeof request.case_number, "%s", case_id);
    (void)snprintf(request.location, sizeof request.location, "%s", box_id);
    (void)snprintf(request.compartment, sizeof request.compartment, "%s", compartment);
    if (guika_v1_operator_service_move_card(client, NULL, &request, &response, &error) != GK_OK) {
        fail_msg("move: %s", error.message);
    }
    gk_rpc_client_close(client);
}

guika_v1_FoundCardRow *gk_test_found(const struct gk_test_service *service, size_t *ret_count)
{
    struct gk_rpc_client *client = gk_test_client(service, service->operator_token);
    guika_v1_ListFoundRequest request = {.limit = 100};
    guika_v1_ListFoundResponse *response = calloc(1, sizeof *response);
    guika_v1_FoundCardRow *rows = NULL;
    size_t count = 0;

    do {
        struct gk_error error = {0};

        memset(response, 0, sizeof *response);
        if (guika_v1_operator_service_list_found(client, NULL, &request, response, &error) != GK_OK) {
            fail_msg("list: %s", error.message);
        }
        rows = realloc(rows, (count + response->cards_count + 1) * sizeof *rows);
        memcpy(rows + count, response->cards, response->cards_count * sizeof *rows);
        count += response->cards_count;
        (void)snprintf(request.page_token, sizeof request.page_token, "%s", response->next_page_token);
    } while (request.page_token[0] != '\0');
    free(response);
    gk_rpc_client_close(client);
    *ret_count = count;
    return rows;
}

uint64_t gk_test_statistic(const struct gk_test_service *service, const char *name)
{
    struct gk_rpc_client *client = gk_test_client(service, service->operator_token);
    const guika_v1_GetStatisticsRequest request = {.days = 1};
    guika_v1_GetStatisticsResponse *response = calloc(1, sizeof *response);
    uint64_t value = 0;

    assert_int_equal(guika_v1_operator_service_get_statistics(client, NULL, &request, response, NULL), GK_OK);
    for (size_t i = 0; i < response->statistics_count; i++) {
        if (strcmp(response->statistics[i].name, name) == 0) {
            value = response->statistics[i].value;
        }
    }
    free(response);
    gk_rpc_client_close(client);
    return value;
}

static int64_t no_time(void *context)
{
    (void)context;
    return 0;
}

uint64_t gk_test_verify_audit(const struct gk_test_service *service)
{
    char path[96];
    const struct gk_store_options options = {.path = path, .cache_bytes = 8 << 20, .now_ms = no_time};
    struct gk_store *store;
    struct gk_error error = {0};
    uint64_t entries = 0;

    assert_int_equal(service->process_id, 0);
    (void)snprintf(path, sizeof path, "%s/service/data", service->directory);
    if (gk_store_open(&options, &store, &error) != GK_OK ||
        gk_store_verify_audit(store, &entries, &error) != GK_OK) {
        fail_msg("audit: %s", error.message);
    }
    gk_store_close(store);
    return entries;
}

/* --- files --- */

static bool file_has(const char *path, const void *bytes, size_t size)
{
    size_t file_size;
    char *data = gk_test_read_file(path, &file_size);
    const bool found = data != NULL && memmem(data, file_size, bytes, size) != NULL;

    free(data);
    return found;
}

size_t gk_test_files_with(const char *directory, const void *bytes, size_t size, char ret_name[PATH_MAX])
{
    struct stat status;
    size_t count = 0;
    DIR *entries;
    const struct dirent *entry;

    if (stat(directory, &status) != 0) {
        return 0;
    }
    if (!S_ISDIR(status.st_mode)) {
        if (!file_has(directory, bytes, size)) {
            return 0;
        }
        (void)snprintf(ret_name, PATH_MAX, "%s", directory);
        return 1;
    }
    entries = opendir(directory);
    while ((entry = readdir(entries)) != NULL) {
        char path[PATH_MAX];

        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            (void)snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
            count += gk_test_files_with(path, bytes, size, ret_name);
        }
    }
    (void)closedir(entries);
    return count;
}

/* --- mail --- */

static size_t count_in(const char *maildir, const char *folder)
{
    char path[PATH_MAX];
    size_t count = 0;
    DIR *entries;
    const struct dirent *entry;

    (void)snprintf(path, sizeof path, "%s/%s", maildir, folder);
    entries = opendir(path);
    if (entries == NULL) {
        return 0;
    }
    while ((entry = readdir(entries)) != NULL) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(entries);
    return count;
}

size_t gk_test_mail_count(const struct gk_test_service *service)
{
    return count_in(service->maildir, "new") + count_in(service->maildir, "cur");
}

bool gk_test_mail_wait(const struct gk_test_service *service, size_t count, unsigned wait_ms)
{
    for (unsigned waited = 0; gk_test_mail_count(service) < count; waited += 20) {
        if (waited >= wait_ms) {
            return false;
        }
        gk_test_sleep_ms(20);
    }
    return true;
}

char *gk_test_mail_text(const struct gk_test_service *service)
{
    static const char script[] =
        "import email,email.policy,glob,sys\n"
        "for f in sorted(glob.glob(sys.argv[1]+'/new/*')+glob.glob(sys.argv[1]+'/cur/*')):\n"
        "  m=email.message_from_binary_file(open(f,'rb'),policy=email.policy.default)\n"
        "  print('To:',m['To']);print('Subject:',m['Subject']);print(m.get_content())\n";
    char command[1024];
    char *text = NULL;
    size_t size;
    char block[4096];
    size_t got;
    FILE *stream = open_memstream(&text, &size);

    (void)snprintf(command, sizeof command, "PYTHONUTF8=1 /usr/bin/python3 -c \"%s\" %s", script,
                   service->maildir);
    FILE *pipe = popen(command, "r");

    assert_non_null(pipe);
    while ((got = fread(block, 1, sizeof block, pipe)) > 0) {
        (void)fwrite(block, 1, got, stream);
    }
    assert_int_equal(pclose(pipe), 0);
    (void)fclose(stream);
    return text;
}
