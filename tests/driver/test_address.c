/* SPDX-License-Identifier: Apache-2.0 */
/* The servers of network file systems.  The name service is a made-up one. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "support/hv_test.h"

#include "address.h"

/* The addresses of a name: IPv6 first, as often from getaddrinfo(3). */
static struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
static struct sockaddr_in four = {.sin_family = AF_INET};
static struct addrinfo last = {
	.ai_family = AF_INET, .ai_addr = (struct sockaddr *)&four, .ai_addrlen = sizeof(four)};
static struct addrinfo first = {
	.ai_family = AF_INET6, .ai_addr = (struct sockaddr *)&six, .ai_addrlen = sizeof(six)};
static char asked[256];

int __wrap_getaddrinfo_a(int mode, struct gaicb *list[], int count, struct sigevent *event);
int __wrap_gai_suspend(
	const struct gaicb *const list[], int count, const struct timespec *deadline);
int __wrap_gai_error(struct gaicb *request);
void __wrap_freeaddrinfo(struct addrinfo *list);

int __wrap_getaddrinfo_a(int mode, struct gaicb *list[], int count, struct sigevent *event)
{
	(void)mode;
	(void)count;
	(void)event;
	snprintf(asked, sizeof(asked), "%s", list[0]->ar_name);
	four.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1 */
	first.ai_next = strcmp(asked, "six.example") == 0 ? NULL : &last;
	list[0]->ar_result = strcmp(asked, "none.example") == 0 ? NULL : &first;
	return 0;
}

int __wrap_gai_suspend(const struct gaicb *const list[], int count, const struct timespec *deadline)
{
	(void)list;
	(void)count;
	(void)deadline;
	return 0;
}

int __wrap_gai_error(struct gaicb *request)
{
	return request->ar_result ? 0 : EAI_NONAME;
}

void __wrap_freeaddrinfo(struct addrinfo *list)
{
	assert_ptr_equal(list, &first);
}

static enum hv_code resolve(const char *type, const char *device, const char *o, struct mc_fs *ret,
	struct hv_error *err)
{
	char refused[MC_FS_OPTION_SIZE];

	*asked = '\0';
	assert_int_equal(mc_fs_read(type, device, o, ret, refused), 0);
	return hv_fs_resolve("vol", ret, err);
}

TEST(the_kernel_is_given_an_address_in_its_place)
{
	static const struct {
		const char *type, *device, *o, *data, *asked;
	} cases[] = {
		{"tmpfs", "tmpfs", "addr=a.example", "addr=a.example", ""},
		{"nfs", ":/x", "soft,addr=a.example,vers=4", "soft,addr=192.0.2.1,vers=4",
			"a.example"},
		{"nfs", ":/x", "addr=six.example", "addr=::1", "six.example"},
		{"nfs", ":/x", "addr=192.0.2.7,soft", "addr=192.0.2.7,soft", ""},
		{"nfs", ":/x", "addr=2001:db8::7", "addr=2001:db8::7", ""},
		{"nfs4", "a.example:/x", "", "addr=192.0.2.1", "a.example"},
		{"nfs4", "[2001:db8::7]:/x", "soft", "addr=2001:db8::7,soft", ""},
		{"nfs", "b.example:/x", "addr=", "addr=192.0.2.1", "b.example"},
		{"nfs", "b.example:/x", "ip=a.example", "addr=192.0.2.1,ip=a.example", "b.example"},
		{"cifs", "//b.example/s", "password=x", "addr=192.0.2.1,password=x", "b.example"},
		{"cifs", "//b.example/s", "ip=192.0.2.7,password=x", "ip=192.0.2.7,password=x", ""},
		{"smb3", "//b.example/s", "user=u,ip=a.example", "user=u,ip=192.0.2.1",
			"a.example"},
		{"cifs", "//b.example/s", "password=x,,addr=c,y=1",
			"addr=192.0.2.1,password=x,,addr=c,y=1", "b.example"},
		{"cifs", "//b.example/s", "password=x,,", "addr=192.0.2.1,password=x,,",
			"b.example"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mc_fs fs;
		struct hv_error err = {0};

		assert_int_equal(
			resolve(cases[i].type, cases[i].device, cases[i].o, &fs, &err), HV_OK);
		assert_string_equal(fs.data, cases[i].data);
		assert_string_equal(asked, cases[i].asked);
	}
}

TEST(a_server_without_an_address_is_named)
{
	struct mc_fs fs;
	struct hv_error err = {0};

	assert_int_equal(resolve("nfs", ":/x", "addr=none.example", &fs, &err), HV_SOURCE_MISSING);
	assert_non_null(strstr(hv_error_text(&err), "none.example"));
	hv_error_done(&err);
	assert_int_equal(resolve("cifs", "nothing", "password=x", &fs, &err), HV_BAD_REQUEST);
	assert_null(strstr(hv_error_text(&err), "password"));
	hv_error_done(&err);
}

TEST(options_that_an_address_makes_too_long_are_refused)
{
	char o[MC_FS_DATA_SIZE];
	struct mc_fs fs;
	struct hv_error err = {0};

	memset(o, 'x', sizeof(o));
	o[sizeof(o) - 1] = '\0';
	assert_int_equal(resolve("nfs", "a.example:/x", o, &fs, &err), HV_BAD_REQUEST);
	hv_error_done(&err);
}

TEST_MAIN()
