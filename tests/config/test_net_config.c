/* SPDX-License-Identifier: MIT */
#include "config/net_config.h"

#include <string.h>

#include "config/machine_config.h"
#include "support/check_main.h"

static struct net_config *parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	struct net_config *n = net_config_parse(text, &error);

	ck_assert_msg(n != NULL, "%s: %s", text, error ? error->message : "");
	return n;
}

static const struct net_forward_config *forward(const struct net_config *n,
						guint i)
{
	ck_assert_uint_lt(i, n->forwards->len);
	return g_ptr_array_index(n->forwards, i);
}

START_TEST(user_is_enough)
{
	struct net_config *n = parse("user");

	ck_assert_int_eq(n->kind, NET_USER);
	ck_assert_ptr_null(n->name);
	ck_assert_ptr_null(n->network);
	ck_assert_ptr_null(n->pcap);
	ck_assert_uint_eq(n->forwards->len, 0);
	ck_assert_uint_eq(n->fds->len, 0);
	ck_assert_uint_eq(n->mtu, 0);
	ck_assert_uint_eq(n->queues, 0);
	ck_assert(!n->has_mac && !n->restricted && !n->no_ipv6);
	ck_assert(!n->cable_out);
	ck_assert_uint_eq(n->channel.poll_us, 0);
	ck_assert_uint_eq(n->channel.monitor_us, 0);
	net_config_free(n);
	net_config_free(NULL);
}
END_TEST

START_TEST(all_that_user_networking_has)
{
	struct net_config *n = parse(
		"user,net=192.168.7.0/25,hostname=guest,restrict,ipv6=off,"
		"hostfwd=tcp:127.0.0.1:2222-10.0.2.15:22,hostfwd=udp::53-:5353,"
		"hostfwd=tcp:80-8080,hostfwd=tcp:[::1]:1-[fec0::15]:2,"
		"mac=00:15:5d:AA:bb:0c,mtu=9000,queues=4,link=down,"
		"pcap=/tmp/a,,b.pcapng,poll=30,monitor=500");
	static const uint8_t mac[] = {0, 0x15, 0x5d, 0xaa, 0xbb, 0x0c};

	ck_assert_str_eq(n->network, "192.168.7.0");
	ck_assert_uint_eq(n->prefix, 25);
	ck_assert_str_eq(n->hostname, "guest");
	ck_assert(n->restricted && n->no_ipv6 && n->cable_out && n->has_mac);
	ck_assert_mem_eq(n->mac, mac, sizeof(mac));
	ck_assert_uint_eq(n->mtu, 9000);
	ck_assert_uint_eq(n->queues, 4);
	ck_assert_str_eq(n->pcap, "/tmp/a,b.pcapng");
	ck_assert_uint_eq(n->channel.poll_us, 30);
	ck_assert_uint_eq(n->channel.monitor_us, 500);
	ck_assert_uint_eq(n->forwards->len, 4);
	ck_assert(!forward(n, 0)->udp);
	ck_assert_str_eq(forward(n, 0)->host, "127.0.0.1");
	ck_assert_uint_eq(forward(n, 0)->host_port, 2222);
	ck_assert_str_eq(forward(n, 0)->guest, "10.0.2.15");
	ck_assert_uint_eq(forward(n, 0)->guest_port, 22);
	ck_assert(forward(n, 1)->udp);
	ck_assert_ptr_null(forward(n, 1)->host);
	ck_assert_ptr_null(forward(n, 1)->guest);
	ck_assert_uint_eq(forward(n, 1)->host_port, 53);
	ck_assert_uint_eq(forward(n, 1)->guest_port, 5353);
	ck_assert_ptr_null(forward(n, 2)->host);
	ck_assert_uint_eq(forward(n, 2)->guest_port, 8080);
	ck_assert_str_eq(forward(n, 3)->host, "::1");
	ck_assert_str_eq(forward(n, 3)->guest, "fec0::15");
	net_config_free(n);
}
END_TEST

START_TEST(the_other_kinds)
{
	struct net_config *n = parse("tap=vnet0,queues=2");

	ck_assert_int_eq(n->kind, NET_TAP);
	ck_assert_str_eq(n->name, "vnet0");
	net_config_free(n);
	n = parse("tap");
	ck_assert_ptr_null(n->name);
	net_config_free(n);
	n = parse("tap,fd=3:4:17");
	ck_assert_uint_eq(n->fds->len, 3);
	ck_assert_int_eq(g_array_index(n->fds, int, 2), 17);
	net_config_free(n);
	n = parse("bridge=virbr0");
	ck_assert_int_eq(n->kind, NET_BRIDGE);
	ck_assert_str_eq(n->name, "virbr0");
	net_config_free(n);
	n = parse("socket,listen=/run/a");
	ck_assert_int_eq(n->kind, NET_SOCKET);
	ck_assert(n->listen);
	ck_assert_str_eq(n->path, "/run/a");
	net_config_free(n);
	n = parse("socket,connect=/run/a");
	ck_assert(!n->listen);
	net_config_free(n);
	n = parse("socket,fd=5");
	ck_assert_int_eq(g_array_index(n->fds, int, 0), 5);
	net_config_free(n);
	n = parse("null,link=up");
	ck_assert_int_eq(n->kind, NET_NULL);
	net_config_free(n);
}
END_TEST

static const struct {
	const char *text;
	const char *says; /* a part of it */
} refused[] = {
	{"", "no such kind"},
	{"virtio", "no such kind"},
	{"users", "no such kind"},
	{"user=x", "takes no value"},
	{"null=x", "takes no value"},
	{"bridge", "bridge=NAME"},
	{"bridge=", "wants a value"},
	{"tap=", "wants a value"},
	{"tap=sixteencharacter", "15 characters"},
	{"tap=a/b", "slash"},
	{"tap=a b", "space"},
	{"tap=a,fd=3", "a descriptor has no tap=NAME"},
	{"tap,fd=", "wants a value"},
	{"tap,fd=3:x", "descriptor"},
	{"tap,fd=-1", "descriptor"},
	{"tap,fd=3,queues=2", "each descriptor is a queue"},
	{"tap=a,hostfwd=tcp:1-2", "no such option"},
	{"user,fd=3", "no such option"},
	{"user,listen=a", "no such option"},
	{"user,speed=1", "no such option"},
	{"user,", "no such option"},
	{"socket", "wants one of"},
	{"socket,fd=3,listen=a", "wants one of"},
	{"socket,listen=a,connect=b", "once"},
	{"socket,fd=3:4", "one descriptor"},
	{"user,mac=00:15:5d:01:02", "six bytes"},
	{"user,mac=00:15:5d:01:02:0g", "six bytes"},
	{"user,mac=00:15:5d:01:02:033", "six bytes"},
	{"user,mac", "six bytes"},
	{"user,mac=01:15:5d:01:02:03", "group"},
	{"user,mtu=67", "68 to 65521"},
	{"user,mtu=65522", "68 to 65521"},
	{"user,mtu=9k", "68 to 65521"},
	{"user,queues=0", "1 to 64"},
	{"user,queues=65", "1 to 64"},
	{"user,link=maybe", "up or down"},
	{"user,pcap=", "wants a value"},
	{"user,poll=1001", "1 to 1000 microseconds"},
	{"null,monitor=5", "50 to 6553 microseconds"},
	{"user,restrict=1", "takes no value"},
	{"user,ipv6=no", "on or off"},
	{"user,net=10.0.2.0", "10.0.2.0/24"},
	{"user,net=10.0.2.0/30", "8 to 29"},
	{"user,net=0.0.0.0/8", "network"},
	{"user,net=fec0::/64", "IPv4"},
	{"user,hostfwd=tcp:1", "hostfwd"},
	{"user,hostfwd=sctp:1-2", "tcp|udp"},
	{"user,hostfwd=tcp:0-2", "tcp|udp"},
	{"user,hostfwd=tcp:1-65536", "tcp|udp"},
	{"user,hostfwd=tcp:1.2.3:1-2", "tcp|udp"},
	{"user,hostfwd=tcp:::1:1-2", "brackets"},
	{"user,hostfwd=tcp:[1.2.3.4]:1-2", "brackets"},
	{"user,hostfwd=tcp:[::1]:1-10.0.2.15:2", "one family"},
	{"user,hostfwd=tcp:[::1]:1-:2", "must be said"},
	{"user,hostfwd", "tcp|udp"},
};

START_TEST(what_is_refused_is_explained)
{
	g_autoptr(GError) error = NULL;

	ck_assert_msg(!net_config_parse(refused[_i].text, &error), "%s",
		      refused[_i].text);
	ck_assert(error->domain == CONFIG_ERROR);
	ck_assert_msg(strstr(error->message, refused[_i].says), "%s: %s",
		      refused[_i].text, error->message);
}
END_TEST

START_TEST(addresses_are_microsofts_and_stay)
{
	struct net_config *n = parse("user"), *given;
	uint8_t a[6], b[6], c[6];

	net_config_mac(n, CONFIG_UUID_DEFAULT, 0, a);
	net_config_mac(n, CONFIG_UUID_DEFAULT, 0, b);
	ck_assert_mem_eq(a, b, 6);
	ck_assert_uint_eq(a[0] << 16 | a[1] << 8 | a[2], 0x00155d);
	net_config_mac(n, CONFIG_UUID_DEFAULT, 1, b);
	ck_assert_mem_ne(a, b, 6);
	net_config_mac(n, "6ba7b810-9dad-11d1-80b4-00c04fd430c8", 0, c);
	ck_assert_mem_ne(a, c, 6);
	given = parse("user,mac=02:00:00:00:00:01");
	net_config_mac(given, CONFIG_UUID_DEFAULT, 0, c);
	ck_assert_uint_eq(c[0], 2);
	ck_assert_uint_eq(c[5], 1);
	net_config_free(n);
	net_config_free(given);
}
END_TEST

START_TEST(kinds_have_names)
{
	ck_assert_str_eq(net_kind_name(NET_USER), "user");
	ck_assert_str_eq(net_kind_name(NET_TAP), "tap");
	ck_assert_str_eq(net_kind_name(NET_BRIDGE), "bridge");
	ck_assert_str_eq(net_kind_name(NET_SOCKET), "socket");
	ck_assert_str_eq(net_kind_name(NET_NULL), "null");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config/net_config");
	TCase *tc = tcase_create("net_config");

	tcase_add_test(tc, user_is_enough);
	tcase_add_test(tc, all_that_user_networking_has);
	tcase_add_test(tc, the_other_kinds);
	tcase_add_loop_test(tc, what_is_refused_is_explained, 0,
			    (int)G_N_ELEMENTS(refused));
	tcase_add_test(tc, addresses_are_microsofts_and_stay);
	tcase_add_test(tc, kinds_have_names);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
