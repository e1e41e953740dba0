/* SPDX-License-Identifier: MIT */
/*
 * rndis.h - Remote NDIS: what a guest's network driver and the host's card
 * say to each other inside of NVSP's messages, and NDIS' structs in that.
 *
 * Names as in Linux include/linux/rndis.h and drivers/net/hyperv/hyperv_net.h.
 * Offsets in a message count from its body, behind the header.
 */
#ifndef PROTO_RNDIS_H
#define PROTO_RNDIS_H

#include "proto/wire.h"

/* --- messages ------------------------------------------------------------ */

#define RNDIS_MSG_COMPLETION  0x80000000u
#define RNDIS_MSG_PACKET      0x00000001u
#define RNDIS_MSG_INIT        0x00000002u
#define RNDIS_MSG_HALT        0x00000003u
#define RNDIS_MSG_QUERY       0x00000004u
#define RNDIS_MSG_SET         0x00000005u
#define RNDIS_MSG_RESET       0x00000006u
#define RNDIS_MSG_INDICATE    0x00000007u
#define RNDIS_MSG_KEEPALIVE   0x00000008u
#define RNDIS_MSG_INIT_C      (RNDIS_MSG_INIT | RNDIS_MSG_COMPLETION)
#define RNDIS_MSG_QUERY_C     (RNDIS_MSG_QUERY | RNDIS_MSG_COMPLETION)
#define RNDIS_MSG_SET_C       (RNDIS_MSG_SET | RNDIS_MSG_COMPLETION)
#define RNDIS_MSG_RESET_C     (RNDIS_MSG_RESET | RNDIS_MSG_COMPLETION)
#define RNDIS_MSG_KEEPALIVE_C (RNDIS_MSG_KEEPALIVE | RNDIS_MSG_COMPLETION)

/* status */
#define RNDIS_STATUS_SUCCESS           0x00000000u
#define RNDIS_STATUS_FAILURE           0xC0000001u
#define RNDIS_STATUS_NOT_SUPPORTED     0xC00000BBu
#define RNDIS_STATUS_BAD_VERSION       0xC0010004u
#define RNDIS_STATUS_MULTICAST_FULL    0xC0010009u
#define RNDIS_STATUS_INVALID_LENGTH    0xC0010014u
#define RNDIS_STATUS_INVALID_DATA      0xC0010015u
/* of RNDIS_MSG_INDICATE */
#define RNDIS_STATUS_MEDIA_CONNECT     0x4001000Bu
#define RNDIS_STATUS_MEDIA_DISCONNECT  0x4001000Cu
#define RNDIS_STATUS_LINK_SPEED_CHANGE 0x40010013u
#define RNDIS_STATUS_NETWORK_CHANGE    0x40010018u

#define RNDIS_MAJOR_VERSION     1u
#define RNDIS_MINOR_VERSION     0u
#define RNDIS_DF_CONNECTIONLESS 1u
#define RNDIS_MEDIUM_802_3      0u

struct rndis_header {
	uint32_t msg_type;
	uint32_t msg_len; /* of all */
} __attribute__((packed));
WIRE_SIZE(struct rndis_header, 8);

struct rndis_packet {
	uint32_t data_offset;
	uint32_t data_len;
	uint32_t oob_data_offset;
	uint32_t oob_data_len;
	uint32_t num_oob_data_elements;
	uint32_t per_pkt_info_offset; /* 0: there is none */
	uint32_t per_pkt_info_len;
	uint32_t vc_handle;
	uint32_t reserved;
} __attribute__((packed));
WIRE_SIZE(struct rndis_packet, 36);

struct rndis_initialize_request {
	uint32_t req_id;
	uint32_t major_ver;
	uint32_t minor_ver;
	uint32_t max_xfer_size;
} __attribute__((packed));
WIRE_SIZE(struct rndis_initialize_request, 16);

struct rndis_initialize_complete {
	uint32_t req_id;
	uint32_t status;
	uint32_t major_ver;
	uint32_t minor_ver;
	uint32_t dev_flags;
	uint32_t medium;
	uint32_t max_pkt_per_msg;
	uint32_t max_xfer_size;
	uint32_t pkt_alignment_factor; /* a power of two */
	uint32_t af_list_offset;
	uint32_t af_list_size;
} __attribute__((packed));
WIRE_SIZE(struct rndis_initialize_complete, 44);

/* RNDIS_MSG_QUERY and RNDIS_MSG_SET */
struct rndis_oid_request {
	uint32_t req_id;
	uint32_t oid;
	uint32_t info_buflen;
	uint32_t info_buf_offset;
	uint32_t dev_vc_handle;
} __attribute__((packed));
WIRE_SIZE(struct rndis_oid_request, 20);

struct rndis_query_complete {
	uint32_t req_id;
	uint32_t status;
	uint32_t info_buflen;
	uint32_t info_buf_offset;
} __attribute__((packed));
WIRE_SIZE(struct rndis_query_complete, 16);

/* RNDIS_MSG_SET_C and RNDIS_MSG_KEEPALIVE_C */
struct rndis_set_complete {
	uint32_t req_id;
	uint32_t status;
} __attribute__((packed));
WIRE_SIZE(struct rndis_set_complete, 8);

struct rndis_reset_complete {
	uint32_t status;
	uint32_t addressing_reset;
} __attribute__((packed));
WIRE_SIZE(struct rndis_reset_complete, 8);

struct rndis_indicate_status {
	uint32_t status;
	uint32_t status_buflen;
	uint32_t status_buf_offset;
} __attribute__((packed));
WIRE_SIZE(struct rndis_indicate_status, 12);

/* --- what is said of a packet -------------------------------------------- */

struct rndis_per_packet_info {
	uint32_t size; /* with this header */
	uint32_t type; /* bit 31: internal */
	uint32_t ppi_offset; /* of the data, from this header */
} __attribute__((packed));
WIRE_SIZE(struct rndis_per_packet_info, 12);

#define RNDIS_PPI_INTERNAL 0x80000000u

#define TCPIP_CHKSUM_PKTINFO  0u
#define TCP_LARGESEND_PKTINFO 2u
#define IEEE_8021Q_INFO       6u
#define NBL_HASH_VALUE        8u
/* internal */
#define RNDIS_PKTINFO_ID      (RNDIS_PPI_INTERNAL | 1u)

/* struct ndis_tcp_ip_checksum_info, of a guest's packet: bits */
#define NDIS_TXCSUM_IS_IPV4                (1u << 0)
#define NDIS_TXCSUM_IS_IPV6                (1u << 1)
#define NDIS_TXCSUM_TCP                    (1u << 2)
#define NDIS_TXCSUM_UDP                    (1u << 3)
#define NDIS_TXCSUM_IP                     (1u << 4)
#define NDIS_TXCSUM_TRANSPORT_OFFSET(info) ((info) >> 16 & 0x3FFu)
/* ... of a packet to the guest */
#define NDIS_RXCSUM_TCP_FAILED             (1u << 0)
#define NDIS_RXCSUM_UDP_FAILED             (1u << 1)
#define NDIS_RXCSUM_IP_FAILED              (1u << 2)
#define NDIS_RXCSUM_TCP_SUCCEEDED          (1u << 3)
#define NDIS_RXCSUM_UDP_SUCCEEDED          (1u << 4)
#define NDIS_RXCSUM_IP_SUCCEEDED           (1u << 5)

/* struct ndis_tcp_lso_info */
#define NDIS_LSO_MSS(info)        ((info)&0xFFFFFu)
#define NDIS_LSO_TCP_OFFSET(info) ((info) >> 20 & 0x3FFu)
#define NDIS_LSO_V2               (1u << 30)
#define NDIS_LSO_IPV6             (1u << 31)

/* struct ndis_pkt_8021q_info */
#define NDIS_8021Q_PRI(info)           ((info)&0x7u)
#define NDIS_8021Q_CFI(info)           ((info) >> 3 & 0x1u)
#define NDIS_8021Q_VLANID(info)        ((info) >> 4 & 0xFFFu)
#define NDIS_8021Q_INFO(pri, cfi, vid) ((pri) | (cfi) << 3 | (vid) << 4)

struct rndis_pktinfo_id {
	uint8_t ver;
	uint8_t flag;
	uint16_t pkt_id;
} __attribute__((packed));
WIRE_SIZE(struct rndis_pktinfo_id, 4);

#define RNDIS_PKTINFO_ID_V1     1u
#define RNDIS_PKTINFO_SUBALLOC  (1u << 0)
#define RNDIS_PKTINFO_1ST_FRAG  (1u << 1)
#define RNDIS_PKTINFO_LAST_FRAG (1u << 2)

/* --- objects -------------------------------------------------------------- */

#define OID_GEN_SUPPORTED_LIST                0x00010101u
#define OID_GEN_HARDWARE_STATUS               0x00010102u
#define OID_GEN_MEDIA_SUPPORTED               0x00010103u
#define OID_GEN_MEDIA_IN_USE                  0x00010104u
#define OID_GEN_MAXIMUM_LOOKAHEAD             0x00010105u
#define OID_GEN_MAXIMUM_FRAME_SIZE            0x00010106u
#define OID_GEN_LINK_SPEED                    0x00010107u
#define OID_GEN_TRANSMIT_BUFFER_SPACE         0x00010108u
#define OID_GEN_RECEIVE_BUFFER_SPACE          0x00010109u
#define OID_GEN_TRANSMIT_BLOCK_SIZE           0x0001010Au
#define OID_GEN_RECEIVE_BLOCK_SIZE            0x0001010Bu
#define OID_GEN_VENDOR_ID                     0x0001010Cu
#define OID_GEN_VENDOR_DESCRIPTION            0x0001010Du
#define OID_GEN_CURRENT_PACKET_FILTER         0x0001010Eu
#define OID_GEN_CURRENT_LOOKAHEAD             0x0001010Fu
#define OID_GEN_DRIVER_VERSION                0x00010110u
#define OID_GEN_MAXIMUM_TOTAL_SIZE            0x00010111u
#define OID_GEN_PROTOCOL_OPTIONS              0x00010112u
#define OID_GEN_MAC_OPTIONS                   0x00010113u
#define OID_GEN_MEDIA_CONNECT_STATUS          0x00010114u
#define OID_GEN_MAXIMUM_SEND_PACKETS          0x00010115u
#define OID_GEN_VENDOR_DRIVER_VERSION         0x00010116u
#define OID_GEN_NETWORK_LAYER_ADDRESSES       0x00010118u
#define OID_GEN_TRANSPORT_HEADER_OFFSET       0x00010119u
#define OID_GEN_PHYSICAL_MEDIUM               0x00010202u
#define OID_GEN_RECEIVE_SCALE_CAPABILITIES    0x00010203u
#define OID_GEN_RECEIVE_SCALE_PARAMETERS      0x00010204u
#define OID_GEN_RNDIS_CONFIG_PARAMETER        0x0001021Bu
#define OID_GEN_XMIT_OK                       0x00020101u
#define OID_GEN_RCV_OK                        0x00020102u
#define OID_GEN_XMIT_ERROR                    0x00020103u
#define OID_GEN_RCV_ERROR                     0x00020104u
#define OID_GEN_RCV_NO_BUFFER                 0x00020105u
#define OID_GEN_DIRECTED_BYTES_XMIT           0x00020201u
#define OID_GEN_DIRECTED_FRAMES_XMIT          0x00020202u
#define OID_GEN_MULTICAST_BYTES_XMIT          0x00020203u
#define OID_GEN_MULTICAST_FRAMES_XMIT         0x00020204u
#define OID_GEN_BROADCAST_BYTES_XMIT          0x00020205u
#define OID_GEN_BROADCAST_FRAMES_XMIT         0x00020206u
#define OID_GEN_DIRECTED_BYTES_RCV            0x00020207u
#define OID_GEN_DIRECTED_FRAMES_RCV           0x00020208u
#define OID_GEN_MULTICAST_BYTES_RCV           0x00020209u
#define OID_GEN_MULTICAST_FRAMES_RCV          0x0002020Au
#define OID_GEN_BROADCAST_BYTES_RCV           0x0002020Bu
#define OID_GEN_BROADCAST_FRAMES_RCV          0x0002020Cu
#define OID_GEN_FRIENDLY_NAME                 0x00020216u
#define OID_802_3_PERMANENT_ADDRESS           0x01010101u
#define OID_802_3_CURRENT_ADDRESS             0x01010102u
#define OID_802_3_MULTICAST_LIST              0x01010103u
#define OID_802_3_MAXIMUM_LIST_SIZE           0x01010104u
#define OID_802_3_MAC_OPTIONS                 0x01010105u
#define OID_802_3_RCV_ERROR_ALIGNMENT         0x01020101u
#define OID_802_3_XMIT_ONE_COLLISION          0x01020102u
#define OID_802_3_XMIT_MORE_COLLISIONS        0x01020103u
#define OID_TCP_OFFLOAD_CURRENT_CONFIG        0xFC01020Bu
#define OID_TCP_OFFLOAD_PARAMETERS            0xFC01020Cu
#define OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES 0xFC01020Du

#define NDIS_MEDIA_STATE_CONNECTED    0u
#define NDIS_MEDIA_STATE_DISCONNECTED 1u

#define NDIS_MAC_OPTION_NO_LOOPBACK    0x008u
#define NDIS_MAC_OPTION_FULL_DUPLEX    0x010u
#define NDIS_MAC_OPTION_8021P_PRIORITY 0x040u
#define NDIS_MAC_OPTION_8021Q_VLAN     0x200u

/* OID_GEN_CURRENT_PACKET_FILTER: bits */
#define NDIS_PACKET_TYPE_DIRECTED      0x01u
#define NDIS_PACKET_TYPE_MULTICAST     0x02u
#define NDIS_PACKET_TYPE_ALL_MULTICAST 0x04u
#define NDIS_PACKET_TYPE_BROADCAST     0x08u
#define NDIS_PACKET_TYPE_PROMISCUOUS   0x20u

/* OID_GEN_FRIENDLY_NAME: UTF-16, the last unit is zero */
#define RNDIS_FRIENDLY_NAME_BYTES 512u

/* OID_GEN_RNDIS_CONFIG_PARAMETER: two strings or a string and a number */
struct rndis_config_parameter_info {
	uint32_t parameter_name_offset; /* from here */
	uint32_t parameter_name_length; /* bytes */
	uint32_t parameter_type;
	uint32_t parameter_value_offset;
	uint32_t parameter_value_length;
} __attribute__((packed));
WIRE_SIZE(struct rndis_config_parameter_info, 20);

#define NDIS_CONFIG_PARAM_STRING 2u

/* --- NDIS' structs ---------------------------------------------------------- */

struct ndis_object_header {
	uint8_t type;
	uint8_t revision;
	uint16_t size;
} __attribute__((packed));
WIRE_SIZE(struct ndis_object_header, 4);

#define NDIS_OBJECT_TYPE_DEFAULT          0x80u
#define NDIS_OBJECT_TYPE_RSS_CAPABILITIES 0x88u
#define NDIS_OBJECT_TYPE_RSS_PARAMETERS   0x89u
#define NDIS_OBJECT_TYPE_OFFLOAD          0xA7u

/* rev. 2; a guest has no room for the padding that C has behind it */
struct ndis_recv_scale_cap {
	struct ndis_object_header header;
	uint32_t cap_flag;
	uint32_t num_int_msg;
	uint32_t num_recv_que;
	uint16_t num_indirect_tabent;
} __attribute__((packed));
WIRE_SIZE(struct ndis_recv_scale_cap, 18);

#define NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_2 2u
#define NDIS_RSS_CAPS_MESSAGE_SIGNALED_INTERRUPTS  0x01000000u
#define NDIS_RSS_CAPS_CLASSIFICATION_AT_ISR        0x02000000u
#define NDIS_RSS_CAPS_CLASSIFICATION_AT_DPC        0x04000000u
#define NDIS_RSS_CAPS_HASH_TYPE_TCP_IPV4           0x00000100u
#define NDIS_RSS_CAPS_HASH_TYPE_TCP_IPV6           0x00000200u

struct ndis_recv_scale_param {
	struct ndis_object_header header;
	uint16_t flag;
	uint16_t base_cpu_number;
	uint32_t hashinfo;
	uint16_t indirect_tabsize; /* bytes */
	uint16_t pad0;
	uint32_t indirect_taboffset; /* from here */
	uint16_t hashkey_size;
	uint16_t pad1;
	uint32_t hashkey_offset; /* from here */
	uint32_t processor_masks_offset;
	uint32_t num_processor_masks;
	uint32_t processor_masks_entry_size;
} __attribute__((packed));
WIRE_SIZE(struct ndis_recv_scale_param, 40);

/* flag */
#define NDIS_RSS_PARAM_FLAG_HASH_INFO_UNCHANGED 0x0002u
#define NDIS_RSS_PARAM_FLAG_ITABLE_UNCHANGED    0x0004u
#define NDIS_RSS_PARAM_FLAG_HASH_KEY_UNCHANGED  0x0008u
#define NDIS_RSS_PARAM_FLAG_DISABLE_RSS         0x0010u

/* hashinfo: the function, and bits of what is hashed */
#define NDIS_HASH_FUNCTION_MASK 0x000000FFu
#define NDIS_HASH_FUNC_TOEPLITZ 0x00000001u
#define NDIS_HASH_IPV4          0x00000100u
#define NDIS_HASH_TCP_IPV4      0x00000200u
#define NDIS_HASH_IPV6          0x00000400u
#define NDIS_HASH_TCP_IPV6      0x00001000u

#define NDIS_RSS_TABLE_MAX 128u /* entries, of 4 bytes each */
#define NETVSC_HASH_KEYLEN 40u

struct ndis_csum_offload {
	uint32_t ip4_txenc, ip4_txcsum;
	uint32_t ip4_rxenc, ip4_rxcsum;
	uint32_t ip6_txenc, ip6_txcsum;
	uint32_t ip6_rxenc, ip6_rxcsum;
} __attribute__((packed));
WIRE_SIZE(struct ndis_csum_offload, 32);

struct ndis_lsov2_offload {
	uint32_t ip4_encap, ip4_maxsz, ip4_minsg;
	uint32_t ip6_encap, ip6_maxsz, ip6_minsg;
	uint32_t ip6_opts;
} __attribute__((packed));
WIRE_SIZE(struct ndis_lsov2_offload, 28);

/* OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES, rev. 3 */
struct ndis_offload {
	struct ndis_object_header header;
	struct ndis_csum_offload csum;
	uint8_t lsov1_ipsecv1[44];
	struct ndis_lsov2_offload lsov2;
	uint32_t flags;
	uint8_t ipsecv2[32]; /* since rev. 2 */
	uint8_t rsc_ip4, rsc_ip6; /* since rev. 3 */
	uint8_t reserved[2];
	uint8_t encap_gre[8];
} __attribute__((packed));
WIRE_SIZE(struct ndis_offload, 156);
WIRE_FIELD(struct ndis_offload, lsov2, 80);
WIRE_FIELD(struct ndis_offload, ipsecv2, 112);
WIRE_FIELD(struct ndis_offload, rsc_ip4, 144);

#define NDIS_OFFLOAD_SIZE_6_0 112u /* rev. 1 */
#define NDIS_OFFLOAD_SIZE_6_1 144u /* rev. 2 */

#define NDIS_OFFLOAD_ENCAP_8023 0x2u

/* ip4_txcsum, ip4_rxcsum: bits (Linux: NDIS_TXCSUM_CAP_IP4OPT, …) */
#define NDIS_CSUM_CAP_IP4OPT   0x001u
#define NDIS_CSUM_CAP_TCP4OPT  0x004u
#define NDIS_CSUM_CAP_TCP4     0x010u
#define NDIS_CSUM_CAP_UDP4     0x040u
#define NDIS_CSUM_CAP_IP4      0x100u
/* ip6_txcsum, ip6_rxcsum */
#define NDIS_CSUM_CAP_IP6EXT   0x001u
#define NDIS_CSUM_CAP_TCP6OPT  0x004u
#define NDIS_CSUM_CAP_TCP6     0x010u
#define NDIS_CSUM_CAP_UDP6     0x040u
/* ip6_opts of LSO */
#define NDIS_LSOV2_CAP_IP6EXT  0x001u
#define NDIS_LSOV2_CAP_TCP6OPT 0x004u
/* As Windows has it (OpenVMM: LSO_MAX_OFFLOAD_SIZE, LSO_MIN_SEGMENT_COUNT). */
#define NDIS_LSO_MAX_SIZE      0xF53Cu
#define NDIS_LSO_MIN_SEGMENTS  2u

/* OID_TCP_OFFLOAD_PARAMETERS; a guest sends as much as its NDIS knows */
struct ndis_offload_params {
	struct ndis_object_header header;
	uint8_t ip_v4_csum;
	uint8_t tcp_ip_v4_csum;
	uint8_t udp_ip_v4_csum;
	uint8_t tcp_ip_v6_csum;
	uint8_t udp_ip_v6_csum;
	uint8_t lso_v1;
	uint8_t ip_sec_v1;
	uint8_t lso_v2_ipv4;
	uint8_t lso_v2_ipv6;
	uint8_t tcp_connection_ip_v4;
	uint8_t tcp_connection_ip_v6;
	uint8_t reserved;
	uint32_t flags;
	uint8_t ip_sec_v2;
	uint8_t ip_sec_v2_ip_v4;
	uint8_t rsc_ip_v4; /* since rev. 3 */
	uint8_t rsc_ip_v6;
	uint8_t encapsulated_packet_task_offload;
	uint8_t encapsulation_types;
	uint8_t pad[2];
} __attribute__((packed));
WIRE_SIZE(struct ndis_offload_params, 28);
WIRE_FIELD(struct ndis_offload_params, lso_v2_ipv4, 11);
WIRE_FIELD(struct ndis_offload_params, rsc_ip_v4, 22);

/* The part that every guest sends. */
#define NDIS_OFFLOAD_PARAMETERS_SIZE_MIN 20u

#define NDIS_OFFLOAD_PARAMETERS_NO_CHANGE      0u
#define NDIS_OFFLOAD_PARAMETERS_TX_RX_DISABLED 1u
#define NDIS_OFFLOAD_PARAMETERS_TX_ENABLED     2u
#define NDIS_OFFLOAD_PARAMETERS_RX_ENABLED     3u
#define NDIS_OFFLOAD_PARAMETERS_TX_RX_ENABLED  4u
/* LSO and RSC */
#define NDIS_OFFLOAD_PARAMETERS_OFF            1u
#define NDIS_OFFLOAD_PARAMETERS_ON             2u

#endif
