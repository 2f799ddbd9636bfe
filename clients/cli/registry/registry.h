/* `guika registry`: what an issuer does with its card-to-holder list. */
#ifndef GUIKA_CLIENTS_CLI_REGISTRY_REGISTRY_H
#define GUIKA_CLIENTS_CLI_REGISTRY_REGISTRY_H

/* argv[0] is "registry", argv[1] the command. Returns the exit status: 0; 1 failed, or rows were rejected;
 * 2 usage. */
int gk_cli_registry(int argc, char **argv);

#endif
