/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/program.h"

static const struct hv_command *const hostvol_commands[] = {
	&hv_cmd_attach,
	&hv_cmd_check,
	&hv_cmd_detach,
	&hv_cmd_doctor,
	&hv_cmd_events,
	&hv_cmd_inspect,
	&hv_cmd_ls,
	&hv_cmd_set,
	&hv_cmd_version,
	NULL,
};

static const struct hv_program hostvol = {
	"hostvol", "Put volumes into running containers", hostvol_commands, NULL};

static const struct hv_program addvol = {
	"addvol", "Add a host directory to a running container", NULL, &hv_cmd_addvol};

int main(int argc, char *argv[])
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = slash ? slash + 1 : argc > 0 ? argv[0] : "";

	return hv_program_run(strcmp(name, "docker-addvol") == 0 ? &addvol : &hostvol, argc, argv);
}
