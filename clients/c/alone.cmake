# What clients/c needs from the rest of the tree when it is built alone: the messages and stubs of BoxService and the RPC client,
# under the names that they have in the whole build. To build: protoc, nanopb's generator, Python. To run: NNG and libsodium.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(nng CONFIG REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
find_library(NANOPB_LIBRARY protobuf-nanopb REQUIRED)
find_program(PROTOC protoc REQUIRED)
find_program(PROTOC_GEN_NANOPB protoc-gen-nanopb REQUIRED)

cmake_path(SET tree NORMALIZE ${CMAKE_CURRENT_SOURCE_DIR}/../..)
set(schemas ${tree}/schemas)
set(made ${CMAKE_CURRENT_BINARY_DIR}/schemas)
file(MAKE_DIRECTORY ${made})

add_library(guika_flags INTERFACE)
target_compile_definitions(guika_flags INTERFACE _GNU_SOURCE GUIKA_VERSION="${PROJECT_VERSION}")
target_include_directories(guika_flags INTERFACE ${tree})

function(guika_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE guika_flags PUBLIC ${ARG_LIBS})
endfunction()

set(messages)
foreach(name envelope types box)
    set(schema guika/v1/${name})
    add_custom_command(
        OUTPUT ${made}/${schema}.pb.c ${made}/${schema}.pb.h
        COMMAND ${PROTOC} -I${schemas} --plugin=protoc-gen-nanopb=${PROTOC_GEN_NANOPB} --nanopb_opt=-I${schemas}
                --nanopb_opt=-xguika/v1/options.proto --nanopb_out=${made} ${schemas}/${schema}.proto
        DEPENDS ${schemas}/${schema}.proto ${schemas}/${schema}.options
        COMMENT "nanopb ${schema}" VERBATIM)
    list(APPEND messages ${made}/${schema}.pb.c)
endforeach()
set(box ${made}/guika/v1/box.rpc)
add_custom_command(
    OUTPUT ${box}.h ${box}.c
    COMMAND ${PROTOC} -I${schemas} --plugin=protoc-gen-guika=${tree}/rpc/protoc-gen-guika --guika_out=${made}
            ${schemas}/guika/v1/box.proto
    DEPENDS ${schemas}/guika/v1/box.proto ${schemas}/guika/v1/options.proto ${tree}/rpc/protoc-gen-guika
    COMMENT "services guika/v1/box" VERBATIM)

guika_library(guika_bytes SOURCES ${tree}/rpc/bytes.c LIBS ${NANOPB_LIBRARY})
guika_library(guika_messages SOURCES ${messages} LIBS guika_bytes)
target_include_directories(guika_messages SYSTEM PUBLIC ${made})
guika_library(guika_wire SOURCES ${tree}/rpc/status.c LIBS guika_messages)
guika_library(guika_pickup_grant SOURCES ${tree}/core/security/pickup_grant.c LIBS guika_messages guika_wire PkgConfig::SODIUM)
guika_library(guika_rpc_client
    SOURCES ${tree}/rpc/client.c ${tree}/rpc/client_nng.c ${tree}/rpc/client_stream.c ${tree}/rpc/message.c ${box}.c ${box}.h
    LIBS guika_wire nng::nng Threads::Threads)
