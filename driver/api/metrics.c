/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus' text format, written without a client library.
 * Source: prometheus.io/docs/instrumenting/exposition_formats. */
#include "metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/process.h"
#include "mountcore/host.h"
#include "wire/metrics.h"

enum { US_PER_SECOND = 1000000 };

/* When the process began, in seconds since 1970.  Read once: computed again it would differ a
 * little, and look like a restart. */
static double started;
static pthread_once_t started_once = PTHREAD_ONCE_INIT;

static void read_started(void)
{
	unsigned long long ticks = 0;
	struct timespec now, up;

	if (hv_process_start_ticks(getpid(), &ticks) != 0 ||
		clock_gettime(CLOCK_REALTIME, &now) < 0 || clock_gettime(CLOCK_BOOTTIME, &up) < 0)
		return;
	started = (double)(now.tv_sec - up.tv_sec) + (double)(now.tv_nsec - up.tv_nsec) / 1e9 +
		  (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static void begin(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_label(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			fputc('\\', out);
		if (*value == '\n')
			fputs("\\n", out);
		else
			fputc(*value, out);
	}
	fputc('"', out);
}

static void print_labelled(FILE *out, const char *name, const char *label, const char *value,
	unsigned long long number)
{
	fprintf(out, "%s{", name);
	print_label(out, label, value);
	fprintf(out, "} %llu\n", number);
}

static void print_number(
	FILE *out, const char *name, const char *type, const char *help, unsigned long long number)
{
	begin(out, name, type, help);
	fprintf(out, "%s %llu\n", name, number);
}

static void print_real(
	FILE *out, const char *name, const char *type, const char *help, double number)
{
	begin(out, name, type, help);
	fprintf(out, "%s %.6f\n", name, number);
}

/* Those of the store are left out while it is not open: 0 would be a wrong number. */
static void print_records(FILE *out, struct hv_api *api)
{
	static const char name[] = "hostvol_attachments";
	hv_auto_error struct hv_error ignored = {0};
	struct hv_counts counts;

	if (!api->has_state || !api->has_state(api->context) ||
		hv_attachments_count(api->attacher, &counts, &ignored) != HV_OK)
		return;
	begin(out, name, "gauge", "Attachments on record, by the state that was noted last.");
	for (int i = 0; i < HV_STATE_COUNT; i++)
		print_labelled(out, name, "state",
			hv_attachment_state_name((enum hv_attachment_state)i),
			counts.attachments[i]);
	print_number(out, "hostvol_volumes", "gauge", "Volumes of the driver.", counts.volumes);
}

static void print_problems(FILE *out, const struct hv_api *api)
{
	static const char name[] = "hostvol_volume_problems";

	if (!api->health.count)
		return;
	begin(out, name, "gauge", "Volumes with a problem, by the last look at each.");
	for (int i = HV_HEALTH_PROBLEM; i < HV_HEALTH_COUNT; i++)
		print_labelled(out, name, "problem", hv_health_name((enum hv_health)i),
			api->health.count(api->health.context, (enum hv_health)i));
	print_number(out, "hostvol_volume_looks_total", "counter",
		"Looks at the health of a volume, one each round.",
		hv_counter_read(HV_COUNT_LOOKS));
}

/* `by`: the value of the label by, or NULL. */
static void print_timing(FILE *out, const char *name, const char *by, enum hv_timing timing)
{
	struct hv_timing_counts counts;
	unsigned long long total = 0;

	hv_timing_read(timing, &counts);
	for (int i = 0; i <= HV_TIMING_BUCKETS; i++) {
		total += counts.in[i];
		fprintf(out, "%s_bucket{%s%s%s", name, by ? "by=\"" : "", by ? by : "",
			by ? "\"," : "");
		if (i < HV_TIMING_BUCKETS)
			fprintf(out, "le=\"%g\"} %llu\n",
				(double)hv_timing_bounds_us[i] / US_PER_SECOND, total);
		else
			fprintf(out, "le=\"+Inf\"} %llu\n", total);
	}
	fprintf(out, "%s_sum%s%s%s %.6f\n", name, by ? "{by=\"" : "", by ? by : "", by ? "\"}" : "",
		(double)counts.sum_us / US_PER_SECOND);
	fprintf(out, "%s_count%s%s%s %llu\n", name, by ? "{by=\"" : "", by ? by : "",
		by ? "\"}" : "", total);
}

static void print_timings(FILE *out)
{
	static const char attach[] = "hostvol_attach_seconds", hold[] = "hostvol_hold_seconds";

	begin(out, attach, "histogram",
		"How long an attach took that made a mount: for a request, or at a start of its container.");
	print_timing(out, attach, "request", HV_TIME_ATTACH_REQUEST);
	print_timing(out, attach, "start", HV_TIME_ATTACH_START);
	begin(out, hold, "histogram", "How long a start of a container was held.");
	print_timing(out, hold, NULL, HV_TIME_HOLD);
}

static void print_request(
	FILE *out, const char *endpoint, enum hv_code code, unsigned long long count)
{
	const char *name = hv_code_name(code);

	fputs("hostvol_requests_total{", out);
	print_label(out, "endpoint", endpoint);
	fputc(',', out);
	print_label(out, "code", *name ? name : "ok");
	fprintf(out, "} %llu\n", count);
}

static void print_requests(FILE *out)
{
	begin(out, "hostvol_requests_total", "counter", "Requests that were answered.");
	for (size_t i = 0; i < HV_REQUESTS_MAX; i++) {
		const char *endpoint = hv_request_endpoint(i);

		for (int code = HV_OK; endpoint && code < HV_CODE_COUNT; code++) {
			unsigned long long count = hv_request_read(i, (enum hv_code)code);

			if (count > 0)
				print_request(out, endpoint, (enum hv_code)code, count);
		}
	}
}

static unsigned long long read_resident_bytes(void)
{
	unsigned long long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file)
		return 0;
	if (fscanf(file, "%*u %llu", &pages) != 1) /* NOLINT(cert-err34-c): it is the kernel's */
		pages = 0;
	(void)fclose(file);
	return pages * (unsigned long long)sysconf(_SC_PAGESIZE);
}

/* Before Linux 6.2, where the directory's size is 0: one by one.  test_api.c on older kernels. */
static unsigned long long count_entries(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	unsigned long long count = 0;

	if (!dir)
		return 0;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count - 1; /* the directory has one, too */
}

static unsigned long long count_descriptors(void)
{
	struct stat directory;

	if (stat("/proc/self/fd", &directory) == 0 && directory.st_size > 0)
		return (unsigned long long)directory.st_size;
	return count_entries();
}

static double read_cpu_seconds(void)
{
	struct rusage usage = {0};

	(void)getrusage(RUSAGE_SELF, &usage); /* cannot fail */
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / US_PER_SECOND;
}

/* By the names that every exporter uses. */
static void print_process(FILE *out)
{
	pthread_once(&started_once, read_started);
	print_real(out, "process_start_time_seconds", "gauge",
		"When the process began, in seconds since 1970.", started);
	print_number(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
		read_resident_bytes());
	print_real(out, "process_cpu_seconds_total", "counter",
		"CPU time of all threads, in user and system mode.", read_cpu_seconds());
	print_number(out, "process_open_fds", "gauge", "Open descriptors.", count_descriptors());
}

static void print_all(FILE *out, struct hv_api *api)
{
	static const char info[] = "hostvol_build_info";

	begin(out, info, "gauge", "Always 1; the label has the version.");
	print_labelled(out, info, "version", HOSTVOL_VERSION, 1);
	print_records(out, api);
	print_problems(out, api);
	print_timings(out);
	print_number(out, "hostvol_late_starts_total", "counter",
		"Starts of containers whose program began before all was attached.",
		hv_counter_read(HV_COUNT_LATE_STARTS));
	print_requests(out);
	print_number(out, "hostvol_commits_total", "counter", "Transactions of the database.",
		hv_counter_read(HV_COUNT_COMMITS));
	if (api->core)
		print_number(out, "hostvol_stuck_helpers", "gauge",
			"Helper processes that were killed and cannot end: their file system does not answer.",
			mc_host_stuck(api->core));
	print_number(out, "hostvol_queue_length", "gauge",
		"Containers that wait to be looked at or repaired.",
		api->count_queued ? api->count_queued(api->context) : 0);
	print_process(out);
}

char *hv_metrics_format(struct hv_api *api)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool has_failed;

	if (!out)
		return NULL;
	print_all(out, api);
	has_failed = ferror(out) != 0;
	if (fclose(out) == 0 && !has_failed)
		return text;
	free(text);
	return NULL;
}

const struct hv_endpoint hv_metrics_endpoints[] = {
	{HV_METRICS_PATH, NULL, HV_IS_TEXT},
	{0},
};
