/* SPDX-License-Identifier: MIT */
/*
 * platform.c - the PC around the processors: serial ports, clock, power.
 */
#include <string.h>

#include "base/clock.h"
#include "config/machine_config.h"
#include "config/serial_config.h"
#include "devices/acpi_pm.h"
#include "devices/bus.h"
#include "devices/cmos_rtc.h"
#include "devices/console.h"
#include "devices/debugcon.h"
#include "devices/device_timers.h"
#include "devices/exit_port.h"
#include "devices/hv_testdev.h"
#include "devices/i8042.h"
#include "devices/legacy_ports.h"
#include "devices/reset_ports.h"
#include "kvm/kvm.h"
#include "mem/gmem.h"
#include "proto/platform.h"
#include "vm/devices/vm_serials.h"
#include "vm/vm.h"
#include "vm/vm_private.h"

/* How long the reader of the console may take for the last lines. */
#define CONSOLE_DRAIN_NS (2 * NSEC_PER_SEC)

struct platform {
	struct vm_serials *serials;
	struct acpi_pm *pm;
	struct cmos_rtc *rtc;
	struct i8042 *kbc;
	struct reset_ports *reset_ports;
	struct device_timers *timers;
	/* --test-devices */
	struct debugcon *debugcon;
	struct exit_port *exit_port;
	struct hv_testdev *testdev;
};

static void set_irq(void *ctx, unsigned int gsi, bool level)
{
	struct vm *vm = ctx;

	kvm_irq_line(vm->kvm, gsi, level);
	/* Any processor may be the one that it is routed to. */
	if (level) {
		for (unsigned int i = 0; i < vm->n_vcpus; i++)
			vcpu_wake_idle(&vm->vcpus[i]);
	}
}

static struct irq_line irq(struct vm *vm, unsigned int gsi)
{
	return (struct irq_line){.set = set_irq, .ctx = vm, .gsi = gsi};
}

static void power_off(void *ctx)
{
	vm_post_event(ctx, VM_EVENT_POWER_OFF, 0, NULL);
}

static void reset(void *ctx)
{
	vm_post_event(ctx, VM_EVENT_RESET, 0, "reset port");
}

static void test_exit(void *ctx, unsigned int value)
{
	vm_post_event(ctx, VM_EVENT_TEST_EXIT, value, NULL);
}

static void quit(void *ctx)
{
	vm_post_event(ctx, VM_EVENT_QUIT, 0, NULL);
}

static int make_serials(struct platform *p, struct vm *vm, GError **error)
{
	struct irq_line irqs[CONFIG_SERIALS_MAX];

	for (unsigned int i = 0; i < CONFIG_SERIALS_MAX; i++)
		irqs[i] = irq(vm, vm_serials_irq(i));
	p->serials = vm_serials_new(
		&(struct vm_serials_params){
			.config = vm->config,
			.pio = vm->pio,
			.irqs = irqs,
			.quit = quit,
			.ctx = vm,
		},
		error);
	return p->serials ? 0 : -1;
}

static void make_clocks(struct platform *p, struct vm *vm,
			struct machine_ops machine)
{
	uint64_t low = MIN(gmem_bytes(vm->mem), GMEM_HOLE_START);
	struct device_timer *pm_timer, *rtc_timer;

	p->timers = device_timers_new();
	pm_timer = device_timer_new(p->timers);
	rtc_timer = device_timer_new(p->timers);
	p->pm = acpi_pm_new(&(struct acpi_pm_config){
		.sci = irq(vm, PLATFORM_SCI_IRQ),
		.timer = device_timer_line(pm_timer),
		.machine = machine,
	});
	p->rtc = cmos_rtc_new(&(struct cmos_rtc_config){
		.irq = irq(vm, PLATFORM_RTC_IRQ),
		.timer = device_timer_line(rtc_timer),
		.offset_s = vm->clock.rtc_s,
		.ram_below_4g = low,
		.ram_above_4g = gmem_bytes(vm->mem) - low,
	});
	device_timer_bind(pm_timer, acpi_pm_expired, p->pm);
	device_timer_bind(rtc_timer, cmos_rtc_expired, p->rtc);
	acpi_pm_attach(p->pm, vm->pio);
	cmos_rtc_attach(p->rtc, vm->pio);
}

static void make_test_devices(struct platform *p, struct vm *vm,
			      struct machine_ops machine)
{
	struct console *console = vm_serials_console(p->serials);

	p->debugcon = debugcon_new(console_host(console));
	p->exit_port = exit_port_new(machine);
	p->testdev = hv_testdev_new(vm->synic, vm->ports);
	debugcon_attach(p->debugcon, vm->pio);
	exit_port_attach(p->exit_port, vm->pio);
	hv_testdev_attach(p->testdev, vm->pio);
	console_connect(console, &debugcon_port_ops, p->debugcon);
}

struct platform *platform_new(struct vm *vm, GError **error)
{
	struct machine_ops machine = {
		.power_off = power_off,
		.reset = reset,
		.exit = test_exit,
		.ctx = vm,
	};
	struct platform *p = g_new0(struct platform, 1);

	if (make_serials(p, vm, error)) {
		platform_free(p);
		return NULL;
	}
	make_clocks(p, vm, machine);
	p->kbc = i8042_new(irq(vm, PLATFORM_I8042_KBD_IRQ), machine);
	p->reset_ports = reset_ports_new(machine);
	i8042_attach(p->kbc, vm->pio);
	reset_ports_attach(p->reset_ports, vm->pio);
	if (vm->config->test_devices)
		make_test_devices(p, vm, machine);
	legacy_ports_attach(vm->pio);
	return p;
}

void platform_free(struct platform *p)
{
	if (!p)
		return;
	vm_serials_free(p->serials);
	device_timers_free(p->timers);
	hv_testdev_free(p->testdev);
	exit_port_free(p->exit_port);
	debugcon_free(p->debugcon);
	reset_ports_free(p->reset_ports);
	i8042_free(p->kbc);
	cmos_rtc_free(p->rtc);
	acpi_pm_free(p->pm);
	g_free(p);
}

int platform_start(struct platform *p)
{
	return vm_serials_start(p->serials);
}

void platform_stop(struct platform *p)
{
	vm_serials_stop(p->serials, CONSOLE_DRAIN_NS);
}

void platform_reset(struct platform *p)
{
	vm_serials_reset(p->serials);
	acpi_pm_reset(p->pm);
	cmos_rtc_reset(p->rtc);
	i8042_reset(p->kbc);
	reset_ports_reset(p->reset_ports);
	if (p->testdev)
		hv_testdev_reset(p->testdev);
}

void platform_power_button(struct platform *p)
{
	acpi_pm_power_button(p->pm);
}

char *platform_console_tail(struct platform *p)
{
	size_t len;
	g_autofree char *bytes =
		console_tail(vm_serials_console(p->serials), &len);

	/* A zero byte is no end either. */
	return g_utf8_make_valid(bytes, (gssize)len);
}
