/* SPDX-License-Identifier: MIT */
#include "vsp/ic/kvp.h"

#include <errno.h>

#include "support/ic_guest.h"
#include "vsp/ic/text.h"

#define LONG (3600 * NSEC_PER_SEC)

static struct ic_kvp *kvp;
static struct ic_result result;

/* What the last answer said. */
static char text[4096]; /* a value; or "key=value," of each */
static unsigned int n_pairs;

static void kvp_setup(void)
{
	struct vsp_params p;

	bus_setup();
	p = ic_params();
	kvp = ic_kvp_new(&p);
	ck_assert_ptr_nonnull(kvp);
	ck_assert_ptr_null(ic_kvp_new(&p));
	ic_kvp_ops.run(kvp, true);
	result.calls = 0;
	text[0] = 0;
}

static void kvp_teardown(void)
{
	ic_kvp_ops.free(kvp);
	ic_kvp_free(NULL);
	guest_drop_rings(&guest);
	bus_teardown();
}

static void on_value(void *ctx, int err, const char *value)
{
	ck_assert(!err == !!value);
	g_strlcpy(text, value ? value : "", sizeof(text));
	ic_on_done(ctx, err);
}

static void on_list(void *ctx, int err, const struct ic_kvp_pair *pairs,
		    unsigned int n)
{
	text[0] = 0;
	n_pairs = n;
	for (unsigned int i = 0; i < n && n < 10; i++) {
		g_strlcat(text, pairs[i].key, sizeof(text));
		g_strlcat(text, "=", sizeof(text));
		g_strlcat(text, pairs[i].value, sizeof(text));
		g_strlcat(text, ",", sizeof(text));
	}
	ic_on_done(ctx, err);
}

static void on_ip(void *ctx, int err, const struct ic_kvp_ip *ip)
{
	if (!err)
		g_snprintf(text, sizeof(text), "%s|%u|%d|%s|%s|%s|%s",
			   ip->adapter, ip->family, ip->dhcp, ip->addresses,
			   ip->subnets, ip->gateways, ip->dns);
	ic_on_done(ctx, err);
}

/* Does a field have @want, with that many bytes used? */
static void expect_text(const void *field, size_t size, uint32_t used,
			const char *want)
{
	char *got = ic_text_get(field, size);

	ck_assert_str_eq(got, want);
	ck_assert_uint_eq(used, 2 * (strlen(want) + 1));
	g_free(got);
}

static struct hv_kvp_hdr expect_header(uint32_t bytes)
{
	struct hv_kvp_hdr h;

	memcpy(&h, ic_expect(ICMSGTYPE_KVPEXCHANGE, bytes), sizeof(h));
	ck_assert_uint_eq(h.pad, 0);
	return h;
}

/* The daemon's answer; NULL: leave it. */
static void put_data(size_t at, const char *key, const char *value)
{
	struct hv_kvp_exchg_msg_value *v = (void *)(msg.body + at);
	uint32_t bytes;

	v->value_type = REG_SZ;
	if (key) {
		memset(v->key, 0, sizeof(v->key));
		ic_text_put(v->key, sizeof(v->key), key, &bytes);
		v->key_size = bytes;
	}
	memset(v->value, 0, sizeof(v->value));
	ic_text_put(v->value, sizeof(v->value), value, &bytes);
	v->value_size = bytes;
}

/* --- single keys ------------------------------------------------------------ */

static const struct ic_version known[] = {{1, 0}, {3, 0}, {4, 0}};

START_TEST(set_in_each_pool)
{
	struct hv_kvp_msg_set m;

	ic_start(known[_i % 3].major, known[_i % 3].minor);
	ck_assert_int_eq(ic_kvp_set(kvp, (unsigned int)_i, "name", "wert", LONG,
				    ic_on_done, &result),
			 0);
	ck_assert_uint_eq(expect_header(sizeof(m)).operation, KVP_OP_SET);
	memcpy(&m, msg.body, sizeof(m));
	ck_assert_uint_eq(m.kvp_hdr.pool, _i);
	ck_assert_uint_eq(m.data.value_type, REG_SZ);
	expect_text(m.data.key, 512, m.data.key_size, "name");
	expect_text(m.data.value, 2048, m.data.value_size, "wert");
	ic_answer(HV_S_OK);
	ic_expect_result(&result, 0);
}
END_TEST

START_TEST(remove_a_key)
{
	struct hv_kvp_msg_delete m;

	ic_start(4, 0);
	ck_assert_int_eq(ic_kvp_delete(kvp, KVP_POOL_EXTERNAL, "name", LONG,
				       ic_on_done, &result),
			 0);
	ck_assert_uint_eq(expect_header(sizeof(m)).operation, KVP_OP_DELETE);
	memcpy(&m, msg.body, sizeof(m));
	expect_text(m.key, 512, m.key_size, "name");
	ic_answer(HV_S_CONT);
	ic_expect_result(&result, -ENOENT);
	ck_assert_uint_eq(ic_number(&ic_kvp_ops, kvp, "failures"), 1);
	ck_assert_uint_eq(ic_number(&ic_kvp_ops, kvp, "operations"), 1);
}
END_TEST

static const struct {
	uint32_t type;
	uint64_t value;
	uint32_t bytes;
	const char *text;
} typed[] = {
	{REG_U32, 0xFFFFFFFF, 4, "4294967295"},
	{11, 0x123456789ABCull, 8, "20015998343868"},
	{2, 'a' | 'b' << 16, 6, "ab"},
	{REG_SZ, 'a' | 'b' << 16, 4, "ab"},
	{REG_SZ, 'a' | 'b' << 16, 2, "a"},
	{REG_SZ, 'a', 0, ""},
	{3, 0, 4, NULL},
	{REG_SZ, 0, 2049, NULL},
	{REG_SZ, 0, 0xFFFFFFFF, NULL},
	{REG_SZ, 0xD83D, 4, NULL},
};

START_TEST(types_of_values)
{
	struct hv_kvp_msg_enumerate m;

	ic_start(4, 0);
	ck_assert_int_eq(ic_kvp_get(kvp, 0, "name", LONG, on_value, &result),
			 0);
	expect_header(sizeof(m));
	put_data(8, "name", "");
	memcpy(&m, msg.body, sizeof(m));
	m.data.value_type = typed[_i].type;
	m.data.value_size = typed[_i].bytes;
	memcpy(m.data.value, &typed[_i].value, 8);
	memcpy(msg.body, &m, sizeof(m));
	ic_answer(HV_S_OK);
	ic_expect_result(&result, typed[_i].text ? 0 : -EPROTO);
	if (typed[_i].text)
		ck_assert_str_eq(text, typed[_i].text);
	else
		ic_expect_rescind();
}
END_TEST

/* --- pools -------------------------------------------------------------------- */

/* Answer the question for item @index. */
static void expect_item(uint32_t index, unsigned int pool, const char *key,
			const char *value)
{
	struct hv_kvp_msg_enumerate m;

	ck_assert_uint_eq(expect_header(sizeof(m)).operation, KVP_OP_ENUMERATE);
	memcpy(&m, msg.body, sizeof(m));
	ck_assert_uint_eq(m.kvp_hdr.pool, pool);
	ck_assert_uint_eq(m.index, index);
	if (!key) {
		ic_answer(HV_S_CONT);
		return;
	}
	put_data(8, key, value);
	ic_answer(HV_S_OK);
}

static int list(unsigned int pool, uint64_t timeout_ns)
{
	return ic_kvp_list(kvp, pool, timeout_ns, on_list, &result);
}

START_TEST(list_a_pool)
{
	ic_start(4, 0);
	ck_assert_int_eq(list(KVP_POOL_GUEST, LONG), 0);
	expect_item(0, KVP_POOL_GUEST, "a", "1");
	expect_item(1, KVP_POOL_GUEST, "b", "");
	expect_item(2, KVP_POOL_GUEST, "c", "3");
	expect_item(3, KVP_POOL_GUEST, NULL, NULL);
	ic_expect_result(&result, 0);
	ck_assert_str_eq(text, "a=1,b=,c=3,");
}
END_TEST

START_TEST(an_empty_pool)
{
	ic_start(4, 0);
	ck_assert_int_eq(list(KVP_POOL_AUTO_EXTERNAL, LONG), 0);
	expect_item(0, KVP_POOL_AUTO_EXTERNAL, NULL, NULL);
	ic_expect_result(&result, 0);
	ck_assert_uint_eq(n_pairs, 0);
}
END_TEST

START_TEST(a_pool_without_an_end)
{
	ic_start(4, 0);
	ck_assert_int_eq(list(KVP_POOL_GUEST, LONG), 0);
	for (uint32_t i = 0; i < IC_KVP_LIST_MAX; i++)
		expect_item(i, KVP_POOL_GUEST, "k", "v");
	ic_expect_result(&result, -EOVERFLOW);
}
END_TEST

START_TEST(a_list_that_fails)
{
	ic_start(4, 0);
	ck_assert_int_eq(list(KVP_POOL_GUEST, LONG), 0);
	expect_item(0, KVP_POOL_GUEST, "a", "1");
	ic_expect(ICMSGTYPE_KVPEXCHANGE, sizeof(struct hv_kvp_msg_enumerate));
	ic_answer(HV_E_FAIL);
	ic_expect_result(&result, -EIO);
}
END_TEST

/* One item takes too long; the time of all is up. */
START_TEST(a_list_whose_time_is_up)
{
	ic_start(4, 0);
	ck_assert_int_eq(list(KVP_POOL_GUEST, IC_PATIENCE), 0);
	expect_item(0, KVP_POOL_GUEST, "a", "1");
	ic_expect_result(&result, -ETIMEDOUT);
}
END_TEST

START_TEST(get)
{
	ic_start(4, 0);
	ck_assert_int_eq(ic_kvp_get(kvp, KVP_POOL_AUTO, "OSName", LONG,
				    on_value, &result),
			 0);
	expect_item(0, KVP_POOL_AUTO, "FullyQualifiedDomainName", "host");
	expect_item(1, KVP_POOL_AUTO, "OSName", "Debian");
	ic_expect_result(&result, 0);
	ck_assert_str_eq(text, "Debian");
	result.calls = 0;
	ck_assert_int_eq(
		ic_kvp_get(kvp, KVP_POOL_AUTO, "no", LONG, on_value, &result),
		0);
	expect_item(0, KVP_POOL_AUTO, "OSName", "Debian");
	expect_item(1, KVP_POOL_AUTO, NULL, NULL);
	ic_expect_result(&result, -ENOENT);
}
END_TEST

static const struct {
	const char *what;
	size_t at; /* of the body */
	uint32_t value;
} bad_items[] = {
	{"key longer than its field", 12, 513},
	{"key much longer", 12, 0xFFFFFFFF},
	{"value longer than its field", 16, 2049},
	{"type of value", 8, 99},
	{"key is not UTF-16", 20, 0xDE00},
};

START_TEST(bad_item)
{
	ic_start(4, 0);
	ck_assert_int_eq(list(KVP_POOL_GUEST, LONG), 0);
	ic_expect(ICMSGTYPE_KVPEXCHANGE, sizeof(struct hv_kvp_msg_enumerate));
	put_data(8, "key", "value");
	memcpy(msg.body + bad_items[_i].at, &bad_items[_i].value, 4);
	ic_answer(HV_S_OK);
	ic_expect_result(&result, -EPROTO);
	ic_expect_rescind();
}
END_TEST

/* --- network settings ------------------------------------------------------------ */

static void put_wide(size_t at, size_t size, const char *s)
{
	memset(msg.body + at, 0, size);
	ic_text_put(msg.body + at, size, s, NULL);
}

START_TEST(the_guests_addresses)
{
	struct hv_kvp_ip_msg m;

	ic_start(4, 0);
	ck_assert_int_eq(
		ic_kvp_get_ip(kvp, "00:15:5D:00:00:01", LONG, on_ip, &result),
		0);
	memcpy(&m, ic_expect(ICMSGTYPE_KVPEXCHANGE, sizeof(m)), sizeof(m));
	ck_assert_uint_eq(m.operation, KVP_OP_GET_IP_INFO);
	ck_assert_uint_eq(m.addr_family, ADDR_FAMILY_IPV4 | ADDR_FAMILY_IPV6);
	expect_text(m.adapter_id, sizeof(m.adapter_id), 36,
		    "00:15:5D:00:00:01");
	put_wide(260, 2048, "10.0.0.2;fe80::1");
	put_wide(2308, 2048, "255.255.255.0;/64");
	put_wide(4356, 1024, "10.0.0.1");
	put_wide(5380, 2048, "10.0.0.3");
	msg.body[259] = 1;
	ic_answer(HV_S_OK);
	ic_expect_result(&result, 0);
	ck_assert_str_eq(text, "00:15:5D:00:00:01|3|1|10.0.0.2;fe80::1|"
			       "255.255.255.0;/64|10.0.0.1|10.0.0.3");
}
END_TEST

START_TEST(addresses_that_are_no_text)
{
	ic_start(4, 0);
	ck_assert_int_eq(ic_kvp_get_ip(kvp, "x", LONG, on_ip, &result), 0);
	ic_expect(ICMSGTYPE_KVPEXCHANGE, sizeof(struct hv_kvp_ip_msg));
	msg.body[260] = 0;
	msg.body[261] = 0xDE;
	ic_answer(HV_S_OK);
	ic_expect_result(&result, -EPROTO);
	ic_expect_rescind();
}
END_TEST

START_TEST(set_addresses)
{
	const struct ic_kvp_ip ip = {
		.adapter = "{12345678-1234-1234-1234-123456789abc}",
		.family = ADDR_FAMILY_IPV4,
		.addresses = "10.0.0.2",
		.subnets = "255.255.255.0",
		.gateways = "10.0.0.1",
	};
	struct hv_kvp_ip_msg m;

	ic_start(4, 0);
	ck_assert_int_eq(ic_kvp_set_ip(kvp, &ip, LONG, ic_on_done, &result), 0);
	memcpy(&m, ic_expect(ICMSGTYPE_KVPEXCHANGE, sizeof(m)), sizeof(m));
	ck_assert_uint_eq(m.operation, KVP_OP_SET_IP_INFO);
	ck_assert_uint_eq(m.addr_family, ADDR_FAMILY_IPV4);
	ck_assert_uint_eq(m.dhcp_enabled, 0);
	expect_text(m.adapter_id, sizeof(m.adapter_id), 78, ip.adapter);
	expect_text(m.ip_addr, sizeof(m.ip_addr), 18, "10.0.0.2");
	expect_text(m.gate_way, sizeof(m.gate_way), 18, "10.0.0.1");
	expect_text(m.dns_addr, sizeof(m.dns_addr), 2, "");
	ic_answer(HV_E_FAIL);
	ic_expect_result(&result, -EIO);
}
END_TEST

/* --- what is not asked at all ------------------------------------------------------ */

START_TEST(bad_questions)
{
	g_autofree char *long_key = g_strnfill(256, 'k');
	g_autofree char *long_value = g_strnfill(1024, 'v');
	struct ic_kvp_ip ip = {.adapter = ""};

	ck_assert_int_eq(
		ic_kvp_set(kvp, KVP_POOL_COUNT, "k", "v", LONG, NULL, NULL),
		-EINVAL);
	ck_assert_int_eq(ic_kvp_get(kvp, KVP_POOL_COUNT, "k", LONG, NULL, NULL),
			 -EINVAL);
	ck_assert_int_eq(ic_kvp_delete(kvp, 256, "k", LONG, NULL, NULL),
			 -EINVAL);
	ck_assert_int_eq(list(KVP_POOL_COUNT, LONG), -EINVAL);
	ck_assert_int_eq(ic_kvp_set(kvp, 0, "", "v", LONG, NULL, NULL),
			 -EINVAL);
	ck_assert_int_eq(ic_kvp_get(kvp, 0, long_key, LONG, NULL, NULL),
			 -ENAMETOOLONG);
	ck_assert_int_eq(ic_kvp_set(kvp, 0, "k", long_value, LONG, NULL, NULL),
			 -ENAMETOOLONG);
	ck_assert_int_eq(ic_kvp_delete(kvp, 0, "\xFF", LONG, NULL, NULL),
			 -EILSEQ);
	ck_assert_int_eq(ic_kvp_set_ip(kvp, &ip, LONG, NULL, NULL), -EINVAL);
	ck_assert_int_eq(ic_kvp_get_ip(kvp, "\xFF", LONG, NULL, NULL), -EILSEQ);
	long_key[255] = 0;
	long_value[1023] = 0;
	ck_assert_int_eq(ic_kvp_set(kvp, 0, long_key, long_value, LONG,
				    ic_on_done, &result),
			 0);
	ic_expect_result(&result, -ENOTCONN);
}
END_TEST

/* The kernel answers nothing before the daemon is there. */
START_TEST(no_daemon)
{
	struct ic_result r[4] = {0};

	ic_open();
	ck_assert_int_eq(
		ic_kvp_set(kvp, 0, "k", "v", NSEC_PER_MSEC, ic_on_done, &r[0]),
		0);
	ck_assert_int_eq(
		ic_kvp_get(kvp, 0, "k", NSEC_PER_MSEC, on_value, &r[1]), 0);
	ck_assert_int_eq(ic_kvp_list(kvp, 0, NSEC_PER_MSEC, on_list, &r[2]), 0);
	ck_assert_int_eq(ic_kvp_get_ip(kvp, "x", NSEC_PER_MSEC, on_ip, &r[3]),
			 0);
	for (unsigned int i = 0; i < 4; i++)
		ic_expect_result(&r[i], -ETIMEDOUT);
}
END_TEST

START_TEST(freed_in_the_middle)
{
	ic_start(4, 0);
	ck_assert_int_eq(list(KVP_POOL_GUEST, LONG), 0);
	expect_item(0, KVP_POOL_GUEST, "a", "1");
	ic_expect(ICMSGTYPE_KVPEXCHANGE, sizeof(struct hv_kvp_msg_enumerate));
	ic_kvp_free(kvp);
	kvp = NULL;
	ck_assert_uint_eq(result.calls, 1);
	ck_assert_int_ne(result.err, 0);
}
END_TEST

static void free_what_is_left(void)
{
	if (kvp)
		ic_kvp_free(kvp);
	guest_drop_rings(&guest);
	bus_teardown();
}

int main(void)
{
	Suite *s = suite_create("vsp/ic/kvp");
	TCase *t = tcase_create("kvp");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, kvp_setup, kvp_teardown);
	tcase_add_loop_test(t, set_in_each_pool, 0, KVP_POOL_COUNT);
	tcase_add_test(t, get);
	tcase_add_test(t, get);
	tcase_add_test(t, remove_a_key);
	tcase_add_loop_test(t, types_of_values, 0, G_N_ELEMENTS(typed));
	tcase_add_test(t, list_a_pool);
	tcase_add_test(t, an_empty_pool);
	tcase_add_test(t, a_pool_without_an_end);
	tcase_add_test(t, a_list_that_fails);
	tcase_add_test(t, a_list_whose_time_is_up);
	tcase_add_loop_test(t, bad_item, 0, G_N_ELEMENTS(bad_items));
	tcase_add_test(t, the_guests_addresses);
	tcase_add_test(t, addresses_that_are_no_text);
	tcase_add_test(t, set_addresses);
	tcase_add_test(t, bad_questions);
	tcase_add_test(t, no_daemon);
	suite_add_tcase(s, t);

	t = tcase_create("free");
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, kvp_setup, free_what_is_left);
	tcase_add_test(t, freed_in_the_middle);
	suite_add_tcase(s, t);
	return check_main(s);
}
