/* SPDX-License-Identifier: MIT */
#include "devices/acpi_pm.h"

#include <pthread.h>
#include <string.h>

#include <glib.h>

#include "base/clock.h"
#include "base/log.h"
#include "devices/bus.h"
#include "proto/platform.h"

#define LOG_CATEGORY "acpi"

/* PM1 status and enable, ACPI 6.5 tables 4.11 and 4.12 */
#define PM1_TMR    0x0001
#define PM1_GBL    0x0020
#define PM1_PWRBTN 0x0100
#define PM1_SLPBTN 0x0200
#define PM1_RTC    0x0400
#define PM1_EVENTS (PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_SLPBTN | PM1_RTC)

/* PM1 control, table 4.13; GBL_RLS and SLP_EN are write-only */
#define PM1_SCI_EN        0x0001
#define PM1_BM_RLD        0x0002
#define PM1_SLP_TYP_SHIFT 10
#define PM1_SLP_TYP_MASK  0x1C00
#define PM1_SLP_EN        0x2000

/* TMR_STS is set whenever this bit of the 32-bit timer changes. */
#define TMR_MSB_SHIFT 31

struct acpi_pm {
	struct acpi_pm_config config; /* set once */

	pthread_mutex_t lock;
	/* lock */
	uint16_t status;
	uint16_t enable;
	uint16_t control;
	bool sci;
	uint64_t tmr_half; /* how often the MSB had changed when last seen */
};

static uint64_t ticks(const struct acpi_pm *pm)
{
	uint64_t ns = pm->config.now_ns
			      ? pm->config.now_ns(pm->config.clock_ctx)
			      : clock_monotonic_ns();

	return (uint64_t)((unsigned __int128)ns * PLATFORM_PM_TMR_HZ /
			  NSEC_PER_SEC);
}

/* How long until the MSB changes, rounded up. */
static uint64_t overflow_delay_ns(uint64_t now)
{
	uint64_t left =
		(1ull << TMR_MSB_SHIFT) - (now & ((1ull << TMR_MSB_SHIFT) - 1));

	return left * NSEC_PER_SEC / PLATFORM_PM_TMR_HZ + 1;
}

/* Let TMR_STS come true; it cannot be told from the timer alone later. */
static void sync_timer(struct acpi_pm *pm)
{
	uint64_t half = ticks(pm) >> TMR_MSB_SHIFT;

	if (half != pm->tmr_half)
		pm->status |= PM1_TMR;
	pm->tmr_half = half;
}

static void update_sci(struct acpi_pm *pm)
{
	bool level = pm->status & pm->enable & PM1_EVENTS;

	if (level == pm->sci)
		return;
	pm->sci = level;
	irq_line_set(&pm->config.sci, level);
}

/* Wake for the overflow only if it would raise the SCI. */
static void arm_timer(struct acpi_pm *pm)
{
	uint64_t delay = TIMER_LINE_NEVER;

	if ((pm->enable & PM1_TMR) && !(pm->status & PM1_TMR))
		delay = overflow_delay_ns(ticks(pm));
	timer_line_arm(&pm->config.timer, delay);
}

/* Bytes @offset to @offset + @len of a little-endian register. */
static void get_bytes(uint64_t reg, uint64_t offset, void *data,
		      unsigned int len)
{
	reg >>= offset * 8;
	memcpy(data, &reg, len);
}

/* @reg with those bytes replaced */
static uint32_t put_bytes(uint32_t reg, uint64_t offset, const void *data,
			  unsigned int len)
{
	uint64_t value = 0, mask = 0;

	memcpy(&value, data, len);
	memset(&mask, 0xFF, len);
	value <<= offset * 8;
	mask <<= offset * 8;
	return (reg & ~(uint32_t)mask) | (uint32_t)value;
}

/* --- event block: status in the first two bytes, enable after ---------- */

static void event_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	struct acpi_pm *pm = dev;

	pthread_mutex_lock(&pm->lock);
	sync_timer(pm);
	update_sci(pm);
	get_bytes(pm->status | (uint32_t)pm->enable << 16, offset, data, len);
	pthread_mutex_unlock(&pm->lock);
}

static void event_write(void *dev, uint64_t offset, const void *data,
			unsigned int len)
{
	struct acpi_pm *pm = dev;
	uint32_t value;
	uint16_t cleared, changed;

	pthread_mutex_lock(&pm->lock);
	sync_timer(pm);
	/* Status bits that are not written read as 0 here: write 1 to clear. */
	value = put_bytes((uint32_t)pm->enable << 16, offset, data, len);
	cleared = (uint16_t)value;
	changed = pm->enable ^ ((value >> 16) & PM1_EVENTS);
	pm->status &= (uint16_t)~cleared;
	pm->enable ^= changed;
	/* Arming costs a system call, and few ever touch this bit. */
	if ((changed | cleared) & PM1_TMR)
		arm_timer(pm);
	update_sci(pm);
	pthread_mutex_unlock(&pm->lock);
}

static const struct bus_ops event_ops = {event_read, event_write, 4};

/* --- control block ---------------------------------------------------- */

static void control_read(void *dev, uint64_t offset, void *data,
			 unsigned int len)
{
	struct acpi_pm *pm = dev;

	pthread_mutex_lock(&pm->lock);
	get_bytes(pm->control, offset, data, len);
	pthread_mutex_unlock(&pm->lock);
}

static void control_write(void *dev, uint64_t offset, const void *data,
			  unsigned int len)
{
	struct acpi_pm *pm = dev;
	uint32_t value;
	unsigned int type;

	pthread_mutex_lock(&pm->lock);
	value = put_bytes(pm->control, offset, data, len);
	pm->control = PM1_SCI_EN |
		      (uint16_t)(value & (PM1_BM_RLD | PM1_SLP_TYP_MASK));
	type = (value & PM1_SLP_TYP_MASK) >> PM1_SLP_TYP_SHIFT;
	pthread_mutex_unlock(&pm->lock);

	if (!(value & PM1_SLP_EN))
		return;
	if (type == PLATFORM_SLP_TYP_S5)
		machine_power_off(&pm->config.machine);
	else
		log_warn_ratelimited("the guest asks for a sleep state that "
				     "is not offered (SLP_TYP %u)",
				     type);
}

static const struct bus_ops control_ops = {control_read, control_write, 2};

/* --- timer ------------------------------------------------------------ */

static void timer_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	get_bytes((uint32_t)ticks(dev), offset, data, len);
}

static const struct bus_ops timer_ops = {timer_read, NULL, 4};

/* ---------------------------------------------------------------------- */

struct acpi_pm *acpi_pm_new(const struct acpi_pm_config *config)
{
	struct acpi_pm *pm = g_new0(struct acpi_pm, 1);

	pm->config = *config;
	pthread_mutex_init(&pm->lock, NULL);
	pm->control = PM1_SCI_EN;
	pm->tmr_half = ticks(pm) >> TMR_MSB_SHIFT;
	return pm;
}

void acpi_pm_free(struct acpi_pm *pm)
{
	if (!pm)
		return;
	pthread_mutex_destroy(&pm->lock);
	g_free(pm);
}

int acpi_pm_attach(struct acpi_pm *pm, struct bus *pio)
{
	int err = bus_add(pio, PLATFORM_PM1_EVT_PORT, PLATFORM_PM1_EVT_BYTES,
			  "acpi-event", &event_ops, pm);

	if (!err)
		err = bus_add(pio, PLATFORM_PM1_CNT_PORT,
			      PLATFORM_PM1_CNT_BYTES, "acpi-control",
			      &control_ops, pm);
	if (!err)
		err = bus_add(pio, PLATFORM_PM_TMR_PORT, PLATFORM_PM_TMR_BYTES,
			      "acpi-timer", &timer_ops, pm);
	return err;
}

void acpi_pm_reset(struct acpi_pm *pm)
{
	pthread_mutex_lock(&pm->lock);
	sync_timer(pm);
	pm->status = 0;
	pm->enable = 0;
	pm->control = PM1_SCI_EN;
	update_sci(pm);
	timer_line_arm(&pm->config.timer, TIMER_LINE_NEVER);
	pthread_mutex_unlock(&pm->lock);
}

void acpi_pm_power_button(struct acpi_pm *pm)
{
	pthread_mutex_lock(&pm->lock);
	pm->status |= PM1_PWRBTN;
	update_sci(pm);
	pthread_mutex_unlock(&pm->lock);
}

void acpi_pm_expired(void *dev)
{
	struct acpi_pm *pm = dev;

	pthread_mutex_lock(&pm->lock);
	sync_timer(pm);
	update_sci(pm);
	arm_timer(pm);
	pthread_mutex_unlock(&pm->lock);
}
