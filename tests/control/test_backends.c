/* SPDX-License-Identifier: MIT */
#include "control/backends.h"

#include <string.h>

#include <json-c/json.h>

#include "support/check_main.h"

static const struct {
	const char *json;
	const char
		*text; /* "!WORD": refused, and the word is in what is said */
} disks[] = {
	{"{'driver':'file','filename':'/a'}", "/a,format=raw"},
	{"{'driver':'host_device','filename':'/dev/x'}", "/dev/x,format=raw"},
	{"{'driver':'file','filename':'/a,b'}", "/a,,b,format=raw"},
	{"{'driver':'raw','file':{'driver':'file','filename':'/a'}}",
	 "/a,format=raw"},
	{"{'driver':'qcow2','read-only':true,"
	 "'file':{'driver':'file','filename':'/a','read-only':true}}",
	 "/a,readonly,format=qcow2"},
	{"{'driver':'qcow2','file':'node'}", "/n,,1,format=qcow2"},
	{"{'driver':'qcow2','file':'with-options'}", "!only a file"},
	{"{'driver':'qcow2','file':'none'}", "!no such node"},
	{"{'driver':'file','filename':'/a','discard':'unmap',"
	 "'detect-zeroes':'on','auto-read-only':true,'aio':'io_uring'}",
	 "/a,discard=unmap,detect-zeroes=on,format=raw"},
	{"{'driver':'file','filename':'/a','cache':{'direct':true}}",
	 "/a,cache=none,format=raw"},
	{"{'driver':'file','filename':'/a',"
	 "'cache':{'direct':true,'no-flush':true}}",
	 "/a,cache=unsafe,format=raw"},
	{"{'driver':'file','filename':'/a','cache':{'writeback':true}}",
	 "!cache has none"},
	{"{'driver':'file','filename':'/a','cache':1}", "!expected an object"},
	{"{'driver':'file','filename':7}", "!expected a string"},
	{"{'driver':'nbd','export':'a,b',"
	 "'server':{'type':'unix','path':'/s'}}",
	 "nbd+unix:///a%2Cb?socket=/s,format=raw"},
	{"{'driver':'raw','read-only':true,'file':{'driver':'nbd',"
	 "'server':{'type':'inet','host':'h','port':'7'}}}",
	 "nbd://h:7/,readonly,format=raw"},
	{"{'driver':'nbd','server':{'type':'inet','host':'h,7'}}",
	 "nbd://h%2C7/,format=raw"},
	{"{'driver':'nbd','export':'x'}", "!server"},
	{"{'driver':'nbd','server':7}", "!server"},
	{"{'driver':'nbd','server':{'type':'unix','path':'s'}}", "!server"},
	{"{'driver':'nbd','server':{'type':'inet','port':'7'}}", "!server"},
	{"{'driver':'nbd','export':7}", "!export"},
	{"{'driver':'nbd','tls-creds':'x'}", "!tls-creds"},
	{"{'driver':'file'}", "!filename"},
	{"{'filename':'/a'}", "!driver"},
	{"{'driver':'raw','file':7}", "!driver"},
	{"{'driver':'file','filename':'/a','offset':7}", "!offset"},
	{"{'driver':'file','filename':'/a','discard':7}", "!expected a string"},
	{"{'driver':'raw','file':{'driver':'qcow2','file':'node'}}",
	 "!a format over a format"},
	{"{'driver':'file','file':{'driver':'file','file':{'driver':'file',"
	 "'file':{'driver':'file','file':{'driver':'file'}}}}}",
	 "!too many"},
};

static const struct {
	const char *json, *text;
} nets[] = {
	{"{'type':'user'}", "user"},
	{"{'type':'user','id':'x','restrict':true,'ipv6':false}",
	 "user,restrict,ipv6=off"},
	{"{'type':'user','restrict':false,'ipv6':true}", "user"},
	{"{'type':'user','hostfwd':[{'str':'tcp::1-:2'},'udp::3-:4']}",
	 "user,hostfwd=tcp::1-:2,hostfwd=udp::3-:4"},
	{"{'type':'user','net':'10.0.0.0/24','hostname':'a,b'}",
	 "user,net=10.0.0.0/24,hostname=a,,b"},
	{"{'type':'user','restrict':1}", "!true or false"},
	{"{'type':'user','hostfwd':'x'}", "!expected a list"},
	{"{'type':'user','hostfwd':[{}]}", "!expected strings"},
	{"{'type':'user','net':1}", "!expected a string"},
	{"{'type':'user','guestfwd':[]}", "!guestfwd"},
	{"{'type':'tap','fd':'7','ifname':'t,0','script':'no','vhost':false}",
	 "tap=t,,0,fd=7"},
	{"{'type':'tap','fds':'7:8'}", "tap,fd=7:8"},
	{"{'type':'tap','vhost':true}", "!vhost"},
	{"{'type':'tap','downscript':'/x'}", "!downscript"},
	{"{'type':'bridge','br':'br0'}", "bridge=br0"},
	{"{'type':'bridge','br':7}", "!br"},
	{"{'type':'stream','addr':{'type':'unix','path':'/a,b'}}",
	 "socket,connect=/a,,b"},
	{"{'type':'stream','server':true,"
	 "'addr':{'type':'unix','path':'/a'}}",
	 "socket,listen=/a"},
	{"{'type':'stream','addr':{'type':'inet','host':'h','port':'80'}}",
	 "socket,connect=tcp:h:80"},
	{"{'type':'stream','server':true,"
	 "'addr':{'type':'inet','host':'::1','port':'80'}}",
	 "socket,listen=tcp:[::1]:80"},
	{"{'type':'stream','addr':{'type':'inet','path':'/a'}}", "!unix with"},
	{"{'type':'stream','addr':{'type':'inet','host':'h','port':80}}",
	 "!unix with"},
	{"{'type':'stream','addr':{'type':'vsock'}}", "!unix with"},
	{"{'type':'stream','addr':7}", "!unix with"},
	{"{'type':'vde'}", "!expected user"},
	{"{}", "!expected user"},
};

/* @text is taken. */
static void check(const char *json, const char *wanted, char *text,
		  GError *error)
{
	if (*wanted != '!') {
		ck_assert_msg(text && !strcmp(text, wanted), "%s: %s", json,
			      text ? text : error->message);
	} else {
		ck_assert_msg(!text && strstr(error->message, wanted + 1),
			      "%s: %s", json, text ? text : error->message);
		ck_assert(error->domain == BACKEND_ERROR);
	}
	g_clear_error(&error);
	g_free(text);
}

START_TEST(images)
{
	g_autoptr(GHashTable) nodes = g_hash_table_new(g_str_hash, g_str_equal);
	struct json_object *o = json_tokener_parse(disks[_i].json);
	GError *error = NULL;
	char *text;

	g_hash_table_insert(nodes, (char *)"node", (char *)"/n,,1,format=raw");
	g_hash_table_insert(nodes, (char *)"with-options",
			    (char *)"/n,format=qcow2");
	text = backend_disk(o, nodes, &error);
	check(disks[_i].json, disks[_i].text, text, error);
	json_object_put(o);
}
END_TEST

START_TEST(networks)
{
	struct json_object *o = json_tokener_parse(nets[_i].json);
	GError *error = NULL;
	char *text = backend_net(o, &error);

	check(nets[_i].json, nets[_i].text, text, error);
	json_object_put(o);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("control/backends");
	TCase *t = tcase_create("backends");

	tcase_add_loop_test(t, images, 0, G_N_ELEMENTS(disks));
	tcase_add_loop_test(t, networks, 0, G_N_ELEMENTS(nets));
	suite_add_tcase(s, t);
	return check_main(s);
}
