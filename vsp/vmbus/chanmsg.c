/* SPDX-License-Identifier: MIT */
#include "vsp/vmbus/chanmsg.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "base/coverage.h"
#include "vsp/vmbus/server_impl.h"

#define SIZE_OF(name) sizeof(struct vmbus_channel_##name)
#define HOST(number, version, title, name)                                  \
	{                                                                   \
		number, false, SIZE_OF(name), 0, 0, version, 0, title, NULL \
	}
#define GUEST(number, version, title, name, handler)                          \
	{                                                                     \
		number, true, SIZE_OF(name), 0, 0, version, 0, title, handler \
	}
#define FEATURE(number, guest, feature, title, name, handler)           \
	{                                                               \
		number, guest, SIZE_OF(name), 0, 0, VERSION_WIN10_V6_0, \
			feature, title, handler                         \
	}

/* clang-format off */
static const struct chanmsg_row table[] = {
	HOST(CHANNELMSG_OFFERCHANNEL, VERSION_WIN7, "OfferChannel",
	     offer_channel),
	HOST(CHANNELMSG_RESCIND_CHANNELOFFER, VERSION_WIN7,
	     "RescindChannelOffer", rescind_offer),
	GUEST(CHANNELMSG_REQUESTOFFERS, VERSION_WIN7, "RequestOffers",
	      message_header, server_on_request_offers),
	HOST(CHANNELMSG_ALLOFFERS_DELIVERED, VERSION_WIN7,
	     "AllOffersDelivered", message_header),
	{
		.number = CHANNELMSG_OPENCHANNEL,
		.from_guest = true,
		.size = SIZE_OF(open_channel),
		.long_size = SIZE_OF(open_channel2),
		.long_features = VMBUS_FEATURE_GUEST_SIGNAL_PARAMETERS |
				 VMBUS_FEATURE_INTERRUPT_REDIRECTION,
		.min_version = VERSION_WIN7,
		.name = "OpenChannel",
		.handler = server_on_open,
	},
	HOST(CHANNELMSG_OPENCHANNEL_RESULT, VERSION_WIN7, "OpenChannelResult",
	     open_result),
	GUEST(CHANNELMSG_CLOSECHANNEL, VERSION_WIN7, "CloseChannel",
	      close_channel, server_on_close),
	GUEST(CHANNELMSG_GPADL_HEADER, VERSION_WIN7, "GpadlHeader",
	      gpadl_header, server_on_gpadl_header),
	GUEST(CHANNELMSG_GPADL_BODY, VERSION_WIN7, "GpadlBody", gpadl_body,
	      server_on_gpadl_body),
	HOST(CHANNELMSG_GPADL_CREATED, VERSION_WIN7, "GpadlCreated",
	     gpadl_created),
	GUEST(CHANNELMSG_GPADL_TEARDOWN, VERSION_WIN7, "GpadlTeardown",
	      gpadl_teardown, server_on_gpadl_teardown),
	HOST(CHANNELMSG_GPADL_TORNDOWN, VERSION_WIN7, "GpadlTorndown",
	     gpadl_torndown),
	GUEST(CHANNELMSG_RELID_RELEASED, 0, "RelidReleased",
	      relid_released, server_on_relid_released),
	GUEST(CHANNELMSG_INITIATE_CONTACT, 0, "InitiateContact",
	      initiate_contact, server_on_initiate_contact),
	HOST(CHANNELMSG_VERSION_RESPONSE, 0, "VersionResponse",
	     version_response),
	GUEST(CHANNELMSG_UNLOAD, 0, "Unload", message_header,
	      server_on_unload),
	HOST(CHANNELMSG_UNLOAD_RESPONSE, 0, "UnloadResponse",
	     message_header),
	GUEST(CHANNELMSG_OPEN_RESERVED, VERSION_WIN10, "OpenReservedChannel",
	      open_reserved, server_on_open_reserved),
	GUEST(CHANNELMSG_CLOSE_RESERVED, VERSION_WIN10,
	      "CloseReservedChannel", close_reserved,
	      server_on_close_reserved),
	HOST(CHANNELMSG_CLOSE_RESERVED_RESULT, VERSION_WIN10,
	     "CloseReservedChannelResponse", close_reserved_result),
	GUEST(CHANNELMSG_TL_CONNECT_REQUEST, VERSION_WIN10,
	      "TlConnectRequest", tl_connect_request, server_on_tl_connect),
	GUEST(CHANNELMSG_MODIFYCHANNEL, VERSION_WIN10_V4_1, "ModifyChannel",
	      modifychannel, server_on_modify_channel),
	HOST(CHANNELMSG_TL_CONNECT_RESULT, VERSION_WIN10_V4_1,
	     "TlConnectResult", tl_connect_result),
	HOST(CHANNELMSG_MODIFYCHANNEL_RESPONSE, VERSION_WIN10_V5_3,
	     "ModifyChannelResponse", modifychannel_response),
	FEATURE(CHANNELMSG_MODIFY_CONNECTION, true,
		VMBUS_FEATURE_MODIFY_CONNECTION, "ModifyConnection",
		modify_connection, server_on_modify_connection),
	FEATURE(CHANNELMSG_MODIFY_CONNECTION_DONE, false,
		VMBUS_FEATURE_MODIFY_CONNECTION, "ModifyConnectionResponse",
		modify_connection_done, NULL),
	FEATURE(CHANNELMSG_PAUSE, true, VMBUS_FEATURE_PAUSE_RESUME, "Pause",
		message_header, server_on_pause),
	FEATURE(CHANNELMSG_PAUSE_RESPONSE, false, VMBUS_FEATURE_PAUSE_RESUME,
		"PauseResponse", message_header, NULL),
	FEATURE(CHANNELMSG_RESUME, true, VMBUS_FEATURE_PAUSE_RESUME, "Resume",
		message_header, server_on_resume),
};
/* clang-format on */

_Static_assert(G_N_ELEMENTS(table) == CHANNELMSG_MAX,
	       "one row per message, in the order of their numbers");

const struct chanmsg_row *chanmsg_find(uint32_t number)
{
	if (number < 1 || number > CHANNELMSG_MAX)
		return NULL;
	return &table[number - 1];
}

const struct chanmsg_row *chanmsg_table(unsigned int *n_rows)
{
	*n_rows = G_N_ELEMENTS(table);
	return table;
}

struct coverage_set *chanmsg_coverage_new(void)
{
	struct coverage_set *set =
		coverage_new("vmbus messages", G_N_ELEMENTS(table));

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		set->entries[i].name = table[i].name;
		set->entries[i].number = table[i].number;
	}
	return set;
}

uint32_t chanmsg_peek(const void *data, size_t size)
{
	struct vmbus_channel_message_header header;

	if (size < sizeof(header))
		return 0;
	memcpy(&header, data, sizeof(header));
	return header.msgtype;
}

int chanmsg_decode(const void *data, size_t size, uint32_t version,
		   uint32_t features, struct chanmsg *msg)
{
	const struct chanmsg_row *row;
	size_t least;

	memset(msg, 0, sizeof(*msg));
	if (size < sizeof(msg->header) || size > sizeof(msg->bytes))
		return -EMSGSIZE;
	memcpy(msg->bytes, data, size);
	msg->size = size;
	row = chanmsg_find(msg->header.msgtype);
	if (!row)
		return -ENOENT;
	msg->row = row;
	if (!row->from_guest)
		return -EPERM;
	if (row->min_version > version ||
	    (row->feature && !(features & row->feature)))
		return -EPROTO;
	least = features & row->long_features ? row->long_size : row->size;
	return size < least ? -EMSGSIZE : 0;
}
