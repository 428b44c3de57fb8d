#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "attach/attach.h"
#include "mountcore/cleanup.h"

/* Another number for each time the machine was booted. */
static int read_boot_id(char *ret, size_t size)
{
	mc_auto_fd fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = read(fd, ret, size - 1);
	if (length <= 0)
		return -EIO;
	ret[length] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

enum hv_code hv_attachments_recover(struct hv_attacher *attacher, struct hv_error *err)
{
	char boot_id[64];

	/* Process and namespace numbers of before would be others' now. */
	if (read_boot_id(boot_id, sizeof(boot_id)) < 0)
		return HV_OK; /* then the Engine tells the starts apart */
	return hv_store_attachment_boot(attacher->store, boot_id, err);
}
